import { caseSuite } from './onnx/cases.ts';

caseSuite('wasm');
