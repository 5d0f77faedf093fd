import { sharingSuite } from './sharing.ts';

sharingSuite('wasm');
