import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { getThreadsCount, setWasmPaths, version_wasm, type BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { defineBackend } from '../../../core/index.ts';
import { registerKernels } from './kernels.ts';
import { POOL, withThreads } from './threads.ts';

export default defineBackend({
  name: 'wasm',
  summary: 'WebAssembly with SIMD instructions: needs nothing but Node.',
  preference: 10,
  options: {
    threads: {
      description: 'Threads inside one operator; null takes one per core.',
      type: ['integer', 'null'],
      minimum: 1,
      maximum: POOL,
      default: null,
    },
  },
  probe(options) {
    const detail = `tfjs-backend-wasm ${version_wasm} on the ${device(wanted(options))}`;
    return Promise.resolve({ available: true, detail });
  },
  async start(options) {
    setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    const start = () => tf.setBackend('wasm');
    await (wanted(options) > 1 ? withThreads(wanted(options), start) : start());
    registerKernels(tf.backend() as BackendWasm);
    const threads = getThreadsCount();
    return { info: { backend: 'wasm', version: version_wasm, device: device(threads), threads } };
  },
});

function wanted({ threads }: { readonly threads: number | null }): number {
  return Math.min(threads ?? availableParallelism(), POOL);
}

function device(threads: number): string {
  return threads > 1 ? `CPU (SIMD, ${threads} threads)` : 'CPU (SIMD)';
}
