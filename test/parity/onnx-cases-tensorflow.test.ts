import { caseSuite } from './onnx/cases.ts';

caseSuite('tensorflow');
