import './helpers.ts';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { adam, adamScales, type AdamState } from '../../../core/training/adam.ts';

beforeAll(() => tf.setBackend('cpu'));

function steps(start: number[], gradients: number[][], rate: number, decay: number): number[] {
  const zeros = tf.zeros([start.length]) as tf.Tensor1D;
  let state: AdamState = { weights: tf.tensor1d(start), first: zeros, second: zeros };
  gradients.forEach((gradient, at) => {
    const { stepSize, rootCorrection } = adamScales(rate, at + 1);
    const scale = { stepSize: tf.scalar(stepSize), rootCorrection: tf.scalar(rootCorrection) };
    state = adam(state, tf.tensor1d(gradient), scale, decay);
  });
  return [...state.weights.dataSync()];
}

/** Algorithm 1 of Kingma and Ba with the penalty in the gradient, one weight at a time in double precision. */
function reference(weight: number, gradients: number[], rate: number, decay: number): number {
  let [w, m, v] = [weight, 0, 0];
  gradients.forEach((gradient, at) => {
    const g = gradient + decay * w;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= (rate * (m / (1 - 0.9 ** (at + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (at + 1))) + 1e-8);
  });
  return w;
}

describe('adam', () => {
  it('follows the algorithm over many steps', () => {
    const start = [1, -0.5, 0.25, 3];
    const gradients = Array.from({ length: 25 }, (_, t) =>
      start.map((_w, i) => Math.sin(3 * t + i) * 10 ** (i - 2)),
    );
    const found = steps(start, gradients, 0.01, 0.1);
    start.forEach((w, i) => {
      const wanted = reference(
        w,
        gradients.map((g) => g[i]!),
        0.01,
        0.1,
      );
      expect(Math.abs(found[i]! - wanted)).toBeLessThan(2e-6);
    });
  });

  it('moves every weight by the learning rate in its first step', () => {
    const found = steps([1, 1], [[1e-3, -250]], 0.01, 0);
    expect(found[0]).toBeCloseTo(0.99, 6);
    expect(found[1]).toBeCloseTo(1.01, 6);
  });

  it('adds the penalty to the gradient, where decoupled decay would go the other way', () => {
    // -0.05 + 0.1 * 1 is positive: the step goes down by the whole learning rate.
    expect(steps([1], [[-0.05]], 0.01, 0.1)[0]).toBeCloseTo(0.99, 6);
  });
});
