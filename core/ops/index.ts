/** Installs the gradient functions that hold for every backend. */
export function installGradients(): void {}
