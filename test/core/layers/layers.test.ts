import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  batchNorm,
  connect,
  drawMasks,
  dropout,
  gaussianDropout,
  scaledNormal,
  unitRange,
  withMasks,
} from '../../../core/layers/index.ts';
import { expectClose } from '../../../core/testing/close.ts';

/** A model of one layer on `[N,4,4,2]`. */
function around(make: () => tfl.layers.Layer): tfl.LayersModel {
  const input = tfl.input({ shape: [4, 4, 2] });
  return tfl.model({ inputs: input, outputs: connect(make(), input) });
}

describe('dropout', () => {
  const masked = (seed: number, step: number | null, training = true) => {
    const model = around(() => dropout({ name: 'dropout', rate: 0.5, seed }));
    const masks = step === null ? [] : drawMasks(model, step, 1);
    return withMasks(model, masks, () => model.apply(tf.ones([1, 4, 4, 2]), { training }) as Tensor4D);
  };

  test('the mask is a function of seed and step', () => {
    expectClose(masked(7, 3), masked(7, 3));
    expectClose(masked(7, null), masked(7, 0));
    const distinct = [masked(7, 3), masked(7, 4), masked(8, 3)].map((mask) => String(mask.dataSync()));
    expect(new Set(distinct).size).toBe(3);
  });

  test('kept values are scaled so that the mean stays, in training only', () => {
    const model = around(() => dropout({ name: 'dropout', rate: 0.25, seed: 1 }));
    const many = (model.apply(tf.ones([1000, 4, 4, 2]), { training: true }) as Tensor).dataSync();
    expect([...new Set(many)].sort()).toEqual([0, Math.fround(1 / 0.75)]);
    const kept = many.filter((value) => value > 0).length / many.length;
    // Four standard deviations of a proportion of 32,000.
    expect(Math.abs(kept - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 32_000));
    expectClose(masked(7, 3, false), tf.ones([1, 4, 4, 2]));
  });
});

describe('gaussian dropout', () => {
  const noisy = (seed: number, step: number, training = true) => {
    const model = around(() => gaussianDropout({ name: 'dropout', rate: 0.2, seed }));
    const apply = () => model.apply(tf.ones([1000, 4, 4, 2]), { training }) as Tensor;
    return withMasks(model, drawMasks(model, step, 1000), apply).dataSync<'float32'>();
  };

  test('the noise is a function of seed and step', () => {
    expect(noisy(7, 3)).toEqual(noisy(7, 3));
    const distinct = [noisy(7, 3), noisy(7, 4), noisy(8, 3)].map((values) => values[0]);
    expect(new Set(distinct).size).toBe(3);
  });

  test('it has mean 1 and variance rate / (1 - rate), in training only', () => {
    const values = noisy(1, 1);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 1)).toBeLessThan((4 * 0.5) / Math.sqrt(values.length));
    expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(4 * Math.sqrt(2 / values.length));
    expect(new Set(noisy(1, 1, false))).toEqual(new Set([1]));
  });
});

test('unitRange maps the intensity domain to [0, 1]', () => {
  const input = tfl.input({ shape: [1, 1, 3] });
  const model = tfl.model({ inputs: input, outputs: unitRange(input, { low: -1000, high: 3000, step: 1 }) });
  expectClose(
    model.apply(tf.tensor4d([-1000, 1000, 3000], [1, 1, 1, 3])) as Tensor,
    tf.tensor4d([0, 0.5, 1], [1, 1, 1, 3]),
    { atol: 1e-7 },
  );
});

test('scaledNormal has mean 0 and the standard deviation sqrt(gain / fanIn), untruncated', () => {
  const values = scaledNormal(50, 3).apply([100_000]).dataSync<'float32'>();
  const mean = values.reduce((a, b) => a + b) / values.length;
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  expect(Math.abs(mean)).toBeLessThan((4 * 0.2) / Math.sqrt(values.length));
  expect(Math.abs(deviation / 0.2 - 1)).toBeLessThan(4 / Math.sqrt(2 * values.length));
  expect(Math.max(...values)).toBeGreaterThan(3 * 0.2);
});

test('batchNorm has eps 1e-5 and moves its statistics by a tenth', () => {
  const model = around(() => batchNorm('bn', 2));
  const constant = tf.fill([2, 4, 4, 2], 3);
  model.apply(constant, { training: true });
  const [gamma, beta, mean, variance] = model.getLayer('bn').getWeights();
  expectClose(gamma!, tf.tensor1d([2, 2]));
  expectClose(beta!, tf.tensor1d([0, 0]));
  expectClose(mean!, tf.tensor1d([0.3, 0.3]), { rtol: 1e-6 });
  expectClose(variance!, tf.tensor1d([0.9, 0.9]), { rtol: 1e-6 });
  const wanted = (2 * (3 - 0.3)) / Math.sqrt(0.9 + 1e-5);
  expectClose(model.apply(constant) as Tensor, tf.fill([2, 4, 4, 2], wanted), { rtol: 1e-6 });
});
