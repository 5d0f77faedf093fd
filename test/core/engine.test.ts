import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { startEngine } from '../../core/engine.ts';
import { defineBackend, type BackendPlugin } from '../../core/plugin.ts';
import type { Registry } from '../../core/registry/index.ts';
import { backendContext } from '../../core/testing/context.ts';

const relu = tf.getKernel('Relu', 'cpu');

function backend(
  name: string,
  preference: number,
  available: boolean,
  kernel = relu,
  experimental?: string,
): BackendPlugin {
  return defineBackend({
    ...(experimental !== undefined && { experimental }),
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
  backend('new', -1, true, relu, 'nobody has tried it'),
];
const registry = {
  names: () => Promise.resolve(plugins.map(({ name }) => name)),
  open: (_kind: string, name: string) =>
    Promise.resolve({ plugin: plugins.find((plugin) => plugin.name === name), options: {} }),
} as unknown as Registry;

async function start(reference: string) {
  const warnings: string[] = [];
  const context = backendContext();
  const log = { ...context.log, warn: (line: string) => void warnings.push(line) };
  const { info } = await startEngine(reference, registry, { ...context, log });
  return { backend: info.backend, warnings };
}

it('takes the most preferred backend that passes its self-test', async () => {
  expect(await start('auto')).toEqual({
    backend: 'good',
    warnings: [expect.stringMatching(/^wrong is left out: .*relu/)],
  });
});

it('starts an experimental backend when it is named, and says so', async () => {
  expect(await start('new')).toEqual({
    backend: 'new',
    warnings: ['new is experimental: nobody has tried it'],
  });
});
