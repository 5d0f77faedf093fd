import { officialSuite } from './onnx/official.ts';

officialSuite('tensorflow');
