import { savedModelSuite } from './keras/models.ts';

savedModelSuite('wasm');
