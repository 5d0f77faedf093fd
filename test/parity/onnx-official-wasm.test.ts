import { officialSuite } from './onnx/official.ts';

officialSuite('wasm');
