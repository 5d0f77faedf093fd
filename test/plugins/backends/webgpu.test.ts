import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../../core/engine.ts';
import { loadConfig, Runner, type Config, type Engine } from '../../../core/index.ts';
import { backendContext, temporaryFolder } from '../../../core/testing/context.ts';
import { Registry } from '../../../core/registry/index.ts';
import plugin from '../../../plugins/backends/webgpu.ts';

const bundledPlugins = new URL('../../../plugins/', import.meta.url);
const { available } = await plugin.probe({}, backendContext());

it('is experimental, and never what auto takes', () => {
  expect(plugin.experimental).toBeDefined();
  expect(plugin.preference).toBeLessThanOrEqual(0);
});

it.skipIf(available)('says what to do where it cannot run', async () => {
  const { detail, advice } = await plugin.probe({}, backendContext());
  expect([detail, advice]).toEqual(['there is no GPU that WebGPU can use', expect.stringMatching(/driver/)]);
  await expect(plugin.start({}, backendContext())).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
});

describe.skipIf(!available)('on a GPU, or software that stands in for one', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine('webgpu', new Registry({ bundledPlugins, baseDir: '' }), backendContext());
  });

  it('says how to read values when it is asked for them at once', async () => {
    const sum = tf.add(tf.ones([3]), 1);
    expect(() => sum.dataSync()).toThrow(
      expect.objectContaining({
        code: 'BACKEND_ASYNCHRONOUS',
        message: expect.stringContaining('dataSync()'),
      }),
    );
    expect([...(await sum.data())]).toEqual([2, 2, 2]);
    // Values that were read once are there.
    expect([...sum.dataSync()]).toEqual([2, 2, 2]);
    sum.dispose();
  });

  it('trains and attacks', async () => {
    const output = temporaryFolder();
    const target: Config = {
      ...{ backend: 'webgpu', output, reporters: [], audit: 'off', eps: [2], batch: 'auto', examples: 0 },
      dataset: { use: 'chest-phantom', size: 16, train: 4, test: 2 },
      subjects: { nwcn: { model: { use: 'nwcn', width: 1 / 32 } } },
      training: { epochs: 1, batch: 2 },
    };
    const runner = new Runner({ ...backendContext(), cwd: output, bundledPlugins });
    const loaded = await loadConfig({ cwd: output, presets: new URL('presets/', bundledPlugins), target });
    const before = tf.memory().numTensors;
    const report = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
    expect(report.engine).toEqual(engine.info);
    expect(report.rows.map(({ eps, values }) => [eps, Number.isFinite(values['dice'])])).toEqual([
      [0, true],
      [0, true],
      [2, true],
      [2, true],
    ]);
    expect(tf.memory().numTensors).toBe(before);
  }, 180_000);
});
