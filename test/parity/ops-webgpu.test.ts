import { parity } from './ops/suite.ts';

await parity(() => import('../../plugins/backends/webgpu.ts'));
