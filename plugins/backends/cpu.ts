import * as tf from '@tensorflow/tfjs-core';
import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import { defineBackend } from '../../core/index.ts';

export default defineBackend({
  name: 'cpu',
  summary: 'Plain JavaScript: the slow reference that the other backends are compared with.',
  preference: 0,
  options: {},
  probe: () => Promise.resolve({ available: true, detail: `tfjs-backend-cpu ${version_cpu}` }),
  async start() {
    await tf.setBackend('cpu');
    // Or its first use prints a banner that recommends another package.
    Object.assign(tf.backend(), { firstUse: false });
    return { info: { backend: 'cpu', version: version_cpu, device: 'CPU', threads: 1 } };
  },
});
