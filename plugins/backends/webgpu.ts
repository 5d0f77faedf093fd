import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { defineBackend, RobustError } from '../../core/index.ts';

/** They do not come with this package: Dawn, which brings WebGPU to Node, has 130 MB. */
const PACKAGES = ['webgpu', '@tensorflow/tfjs-backend-webgpu'];
const ADVICE = `npm install webgpu @tensorflow/tfjs-backend-webgpu@${tf.version_core}`;

export default defineBackend({
  name: 'webgpu',
  summary: 'Any GPU with a driver for Vulkan, Metal or Direct3D, through two packages installed on demand.',
  preference: -1,
  experimental: 'it has been tried without a real GPU only',
  options: {},
  async probe() {
    const found = await findAdapter();
    if ('reason' in found) return { available: false, detail: found.reason, advice: found.advice };
    return { available: true, detail: `tfjs-backend-webgpu ${tf.version_core} on ${nameOf(found.adapter)}` };
  },
  async start() {
    const found = await findAdapter();
    if ('reason' in found) {
      const { reason, advice } = found;
      throw new RobustError('BACKEND_UNAVAILABLE', { message: reason, where: 'webgpu', next: advice });
    }
    // Registers itself, but only where there is a `navigator.gpu`.
    await import('@tensorflow/tfjs-backend-webgpu');
    await tf.setBackend('webgpu');
    // Otherwise plain JavaScript computes small results.
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    const backend = tf.backend() as WebGPUBackend;
    refuseToWait(backend);
    preferFirst(backend);
    return {
      info: { backend: 'webgpu', version: tf.version_core, device: nameOf(found.adapter), threads: 1 },
    };
  },
});

/** The preferred GPU, or what is missing. */
async function findAdapter(): Promise<{ adapter: GPUAdapter } | { reason: string; advice: string }> {
  const require = createRequire(import.meta.url);
  try {
    for (const name of PACKAGES) require.resolve(name);
  } catch {
    return { reason: 'its packages are not installed', advice: ADVICE };
  }
  const adapter = await (await openGpu()).requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return { adapter };
  const advice = 'install a driver for Vulkan, Metal or Direct3D 12, or use another backend';
  return { reason: 'there is no GPU that WebGPU can use', advice };
}

/** WebGPU where browsers have it; once, because each instance keeps threads. */
async function openGpu(): Promise<GPU> {
  const { navigator: holder = {} } = globalThis as { navigator?: Partial<Navigator> };
  if (holder.gpu) return holder.gpu;
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  Object.defineProperty(holder, 'gpu', { value: create([]) });
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: holder });
  return holder.gpu!;
}

function nameOf({ info }: GPUAdapter): string {
  return [info.vendor, info.architecture].filter(Boolean).join(' ') || 'an unnamed GPU';
}

/** Reading at once goes through a canvas in this backend, which Node lacks. */
function refuseToWait(backend: WebGPUBackend): void {
  const { readSync } = backend;
  backend.readSync = function (id) {
    const { values, dtype } = this.tensorMap.get(id);
    if (values || dtype === 'string') return readSync.call(this, id);
    throw new RobustError('BACKEND_ASYNCHRONOUS', {
      message: 'WebGPU cannot give values at once: something called `dataSync()`, or a method that does.',
      where: 'webgpu',
      next: 'use `await tensor.data()` in a plugin of your own, or another backend; see docs/backends.md',
    });
  };
}

/** The gradient of max-pooling belongs to the first of equal values, as everywhere; this backend takes the last. */
function preferFirst(backend: WebGPUBackend): void {
  const { runWebGPUProgram } = backend;
  backend.runWebGPUProgram = function (program, ...rest) {
    if ('computePositions' in program && program.computePositions) {
      const code = program.getUserCode();
      program.getUserCode = () =>
        code.replace('value >= currMaxValue', 'maxValueFound == 0.0 || value > maxValue');
    }
    return runWebGPUProgram.call(this, program, ...rest);
  };
}
