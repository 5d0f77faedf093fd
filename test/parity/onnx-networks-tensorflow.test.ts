import { networkSuite } from './onnx/networks.ts';

networkSuite('tensorflow');
