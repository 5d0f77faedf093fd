export class Runner {}
