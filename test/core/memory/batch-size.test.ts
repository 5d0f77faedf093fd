import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { tensorflow } from '../../../core/engine.ts';
import { fitting, withBatch, type BatchRequest } from '../../../core/memory/batch-size.ts';
import { temporaryFolder, tinyDataset } from '../../../core/testing/index.ts';
import { linearSegmenter, thresholdWeights } from '../../../core/testing/toys.ts';
import type { Segmenter } from '../../../core/vocabulary.ts';

const MB = 2 ** 20;

describe('the batch size that fits', () => {
  it.each([
    ['all of 16 images', 10_000, 16, 16],
    ['what a margin leaves: 100 + 7 x 15 MB', 205, 16, 8],
    ['one image less', 204, 16, 4],
    ['one image, whatever it takes', 1, 16, 1],
    ['no more than there are', 10_000, 3, 4],
  ])('is %s', (_what, limit, images, batch) => {
    expect(fitting({ one: 100 * MB, two: 110 * MB }, limit * MB, images)).toBe(batch);
  });
});

describe('a sweep whose batch size is chosen', () => {
  let segmenter: Segmenter;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    segmenter = linearSegmenter(tensorflow, thresholdWeights(1));
  });
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    debug: () => undefined,
    warn: (line: string) => void warnings.push(line),
  };
  const request = (more: Partial<BatchRequest> = {}): BatchRequest =>
    ({
      segmenter,
      dataset: tinyDataset(),
      images: 8,
      batch: 'auto',
      memoryLimit: 1e15,
      file: join(temporaryFolder(), 'batch.json'),
      fresh: false,
      ctx: { log },
      ...more,
    }) as BatchRequest;
  const size = ({ batch }: { batch: number }) => Promise.resolve(batch);
  const chosen = async (asked: BatchRequest) => (await withBatch(asked, size)).chosen;

  it('runs with what was measured, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    expect(await withBatch(request(), size)).toEqual({ result: 8, chosen: 8 });
    expect(await withBatch(request({ memoryLimit: 1 }), size)).toEqual({ result: 1, chosen: 1 });
    expect(await withBatch(request({ batch: 5 }), size)).toEqual({ result: 5 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps its choice for the same model and size of image, unless it is to start afresh', async () => {
    const little = request({ memoryLimit: 1 });
    const much = { ...little, memoryLimit: 1e15 };
    expect(await chosen(little)).toBe(1);
    expect(await chosen(much)).toBe(1);
    expect(await chosen({ ...much, fresh: true })).toBe(8);
    expect(await chosen({ ...little, segmenter: { ...segmenter, fingerprint: 'other' } })).toBe(1);
  });

  it('is halved when the engine runs out of memory, and goes on', async () => {
    const tried: number[] = [];
    const run = ({ batch }: { batch: number }) => {
      tried.push(batch);
      if (batch > 2) throw new Error('OOM when allocating tensor with shape[8,64,64,32]');
      return Promise.resolve(batch);
    };
    const asked = request();
    expect((await withBatch(asked, run)).chosen).toBe(2);
    expect(tried).toEqual([8, 4, 2]);
    expect(warnings.map((line) => /with (\d) images/.exec(line)![1])).toEqual(['8', '4']);
    expect(JSON.parse(readFileSync(asked.file, 'utf8'))).toMatchObject({ batch: 2 });
  });

  it('ends with other errors, and where one image is too much', async () => {
    const failing = (message: string) => () => Promise.reject(new Error(message));
    await expect(withBatch(request(), failing('no disk'))).rejects.toThrow('no disk');
    const one = withBatch(request({ memoryLimit: 1 }), failing('Out of memory'));
    await expect(one).rejects.toThrow('Out of memory');
  });
});
