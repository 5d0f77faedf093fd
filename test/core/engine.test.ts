import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { startEngine } from '../../core/engine.ts';
import { defineBackend, type BackendPlugin } from '../../core/plugin.ts';
import type { Registry } from '../../core/registry/index.ts';
import { backendContext } from '../../core/testing/context.ts';

const relu = tf.getKernel('Relu', 'cpu');

function backend(name: string, preference: number, available: boolean, kernel = relu): BackendPlugin {
  return defineBackend({
    name,
    summary: 'A backend of this test.',
    preference,
    options: {},
    probe: () => Promise.resolve({ available, detail: available ? 'here' : 'not here' }),
    start: async () => {
      await tf.setBackend('cpu');
      tf.unregisterKernel('Relu', 'cpu');
      tf.registerKernel(kernel);
      return { info: { backend: name, version: '1', device: 'cpu', threads: 1 } };
    },
  });
}

const plugins = [
  backend('slow', 1, true),
  backend('wrong', 3, true, { ...relu, kernelFunc: ({ inputs }) => inputs['x']! }),
  backend('absent', 4, false),
  backend('good', 2, true),
];
const registry = {
  names: () => Promise.resolve(plugins.map(({ name }) => name)),
  open: (_kind: string, name: string) =>
    Promise.resolve({ plugin: plugins.find((plugin) => plugin.name === name), options: {} }),
} as unknown as Registry;

it('takes the most preferred backend that passes its self-test', async () => {
  const warnings: string[] = [];
  const context = backendContext();
  const log = { ...context.log, warn: (line: string) => void warnings.push(line) };
  const { info } = await startEngine('auto', registry, { ...context, log });
  expect(info.backend).toBe('good');
  expect(warnings).toEqual([expect.stringMatching(/^wrong is left out: .*relu/)]);
});
