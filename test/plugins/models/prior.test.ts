import { describe, expect, it } from 'vitest';
import { join } from 'node:path';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import {
  defineDataset,
  defineDefense,
  loadConfig,
  Runner,
  type Dataset,
  type Sample,
  type Segmenter,
} from '../../../core/index.ts';
import { makeContext, temporaryFolder, tinyDataset } from '../../../core/testing/index.ts';
import prior from '../../../plugins/models/prior.ts';

const options = { threshold: 0.5 };

/** Data of 2 x 3 pixels with the given training masks. */
function data(classes: number, masks: readonly (readonly number[])[]): Dataset {
  const shape = [2, 3] as const;
  const samples = masks.map((mask, i): Sample => ({
    id: `s${i}`,
    image: { shape: [...shape, 1], data: new Float32Array(6) },
    mask: { shape, data: Uint8Array.from(mask) },
  }));
  const train = { ids: samples.map(({ id }) => id), get: async (index: number) => samples[index]! };
  const names = Array.from({ length: classes }, (_, k) => `class ${k}`);
  return { ...tinyDataset({ height: 2, width: 3 }), classes: names, train };
}

async function predicted(dataset: Dataset, threshold = 0.5): Promise<number[]> {
  const ctx = await makeContext();
  const segmenter: Segmenter = await prior.open(dataset, { threshold }, ctx);
  const x = ctx.tf.randomUniform([2, 2, 3, 1], 0, 255) as Tensor4D;
  const labels = ctx.tf.tidy(() => ctx.tf.argMax(segmenter.logits(x), 3).dataSync());
  ctx.tf.dispose(x);
  segmenter.dispose();
  expect(labels.slice(0, 6)).toEqual(labels.slice(6));
  return [...labels.slice(0, 6)];
}

const masks = [
  [0, 1, 1, 0, 0, 0],
  [0, 1, 1, 1, 0, 0],
  [0, 1, 0, 1, 1, 0],
  [0, 1, 0, 0, 0, 0],
];

describe('prior', () => {
  it('predicts the pixels that more than half of the training masks cover, whatever the image', async () => {
    expect(await predicted(data(2, masks))).toEqual([0, 1, 0, 0, 0, 0]);
    expect(await predicted(data(2, [...masks, masks[1]!]))).toEqual([0, 1, 1, 1, 0, 0]);
  });

  it('takes another threshold', async () => {
    expect(await predicted(data(2, masks), 0.4)).toEqual([0, 1, 1, 1, 0, 0]);
    expect(await predicted(data(2, masks), 0.2)).toEqual([0, 1, 1, 1, 1, 0]);
  });

  it('predicts the most frequent of several classes', async () => {
    expect(
      await predicted(
        data(3, [
          [0, 2, 2, 1, 0, 2],
          [0, 2, 1, 1, 2, 2],
          [0, 0, 1, 2, 0, 2],
        ]),
      ),
    ).toEqual([0, 2, 1, 1, 0, 2]);
  });

  it('is identified by the training masks', async () => {
    const ctx = await makeContext();
    const print = async (dataset: Dataset) => {
      const segmenter = await prior.open(dataset, options, ctx);
      segmenter.dispose();
      return segmenter.fingerprint;
    };
    expect(await print(data(2, masks))).toBe(await print(data(2, masks.toReversed())));
    expect(await print(data(2, masks))).not.toBe(await print(data(2, masks.slice(1))));
  });

  it('refuses a data set without training masks', async () => {
    await expect(prior.open(data(2, []), options, await makeContext())).rejects.toMatchObject({
      code: 'DATASET_EMPTY',
      parts: { received: '0 training images' },
    });
  });

  it('goes through a run: no attack moves its score', async () => {
    const output = temporaryFolder();
    const here = (path: string) => new URL(`../../../${path}/`, import.meta.url);
    const tiny = defineDataset({
      name: 'tiny',
      summary: 'Rectangles.',
      options: {},
      load: async () => tinyDataset(),
    });
    const dimmer = defineDefense({
      ...{ name: 'dimmer', summary: 'Halves.', options: {} },
      input: (x, _domain, _chosen, { tf }) => tf.div(x, 2),
    });
    const loaded = await loadConfig({
      cwd: output,
      presets: here('presets'),
      target: {
        ...{ output, backend: 'wasm', dataset: tiny, eps: [2, 8], reporters: [] },
        subjects: { floor: { model: 'prior' }, behind: { model: 'prior', defenses: [dimmer] } },
      },
    });
    const silent = { info: () => undefined, warn: () => undefined, debug: () => undefined };
    const runner = new Runner({
      ...{ cwd: output, bundledPlugins: here('plugins'), cacheDir: join(output, 'cache') },
      ...{ log: silent, signal: new AbortController().signal },
    });
    const report = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
    expect(report.subjects.map(({ name, blind }) => [name, blind])).toEqual([
      ['floor', true],
      ['behind', true],
    ]);
    for (const { points } of report.curves) {
      expect(points.map(({ eps }) => eps)).toEqual([0, 2, 8]);
      expect(new Set(points.map(({ mean }) => mean)).size).toBe(1);
    }
    expect(report.rows.every(({ linf }) => linf === 0)).toBe(true);
  });
});
