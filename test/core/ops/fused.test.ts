import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { installGradients } from '../../../core/ops/index.ts';
import { expectClose } from '../../../core/testing/close.ts';

const x = tf.randomNormal<tf.Rank.R4>([2, 5, 4, 2], 0, 1, 'float32', 1);

function model(args: Partial<Parameters<typeof tfl.layers.conv2d>[0]>): tfl.LayersModel {
  const input = tfl.input({ shape: [5, 4, 2] });
  const kernelInitializer = tfl.initializers.randomNormal({ mean: 0, stddev: 1, seed: 3 });
  const common = { filters: 3, kernelSize: 3, padding: 'same', strides: 2, kernelInitializer } as const;
  return tfl.model({
    inputs: input,
    outputs: tfl.layers.conv2d({ ...common, ...args }).apply(input) as never,
  });
}

const cases = {
  'with a bias': {},
  'without a bias': { useBias: false },
  'with an activation': { activation: 'elu' },
  'with neither bias nor activation': { useBias: false, activation: 'linear' },
} as const;

function measure(args: (typeof cases)[keyof typeof cases]) {
  const made = model(args);
  const loss = (v: Tensor) => tf.sum(tf.square(made.apply(v) as Tensor));
  const weights = Object.values(tf.variableGrads(() => loss(x) as tf.Scalar).grads);
  return { value: made.apply(x) as Tensor, gradient: tf.grad(loss)(x), weights, loss };
}

// What tf.layers computes by itself, before anything is installed.
const before = Object.entries(cases).map(([name, args]) => [name, args, measure(args)] as const);
installGradients();

describe.each(before)('a standard convolution layer %s', (_name, args, expected) => {
  const actual = measure(args);

  test('keeps its values and gradients', () => {
    expectClose(actual.value, expected.value);
    expectClose(actual.gradient, expected.gradient, { rtol: 1e-5, atol: 1e-5 });
    expect(actual.weights).toHaveLength(expected.weights.length);
    actual.weights.forEach((gradient, i) =>
      expectClose(gradient, expected.weights[i]!, { rtol: 1e-5, atol: 1e-5 }),
    );
  });

  test('computes no filter gradient for an input gradient', async () => {
    const { kernelNames } = await tf.profile(() => tf.grad(actual.loss)(x));
    expect(kernelNames).toContain('Conv2DBackpropInput');
    expect(kernelNames).not.toContain('Conv2DBackpropFilter');
  });
});
