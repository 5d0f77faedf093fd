import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../core/index.ts';
import { expectClose } from '../../../core/testing/close.ts';
import { difference, record } from '../../../plugins/backends/tensorflow/capture.ts';
import { fuse } from '../../../plugins/backends/tensorflow/fusion.ts';
import { sessionConfig } from '../../../plugins/backends/tensorflow/session.ts';
import { native, operators, random, run, startNative } from './graphs.ts';

const available = await startNative();

/** The gradient of a convolution with respect to its kernel. */
const kernelGradient: Step = (x, kernel) => [
  tf.grad((k) => tf.sum(tf.square(tf.conv2d(x as Tensor4D, k as Tensor4D, 1, 'same'))))(kernel!),
];

describe.runIf(available)('the kernel gradient of a convolution', () => {
  it.each([3, 20])('is made of matrix products where AVX-512 is missing: %i channels', (channels) => {
    const inputs = [random(1, [2, 9, 7, channels]), random(2, [3, 3, channels, 5])];
    const { graph, outputs } = record(native(), kernelGradient, inputs);
    const products = fuse(graph, native().binding, { avx512: false });
    expect(operators(products)).not.toContain('Conv2DBackpropFilter');
    expectClose(run(products, inputs)[0]!, outputs[0]!, { rtol: 1e-4, atol: 1e-3 });
    expect(operators(fuse(graph, native().binding, { avx512: true }))).toContain('Conv2DBackpropFilter');
  });
});

describe.runIf(available)('in a gradient', () => {
  it('convolution, batch norm and ReLU are one operator', () => {
    const [x, kernel] = [random(1, [2, 9, 7, 3]), random(2, [3, 3, 3, 4])];
    const statistics = [1, 2, 3].map((seed) => tf.abs(tf.randomNormal([4], 0, 1, 'float32', seed)));
    const [mean, variance, scale] = statistics as tf.Tensor1D[] as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
    const value = (z: Tensor) =>
      tf.relu(tf.batchNorm(tf.conv2d(z as Tensor4D, kernel, 1, 'same'), mean, variance, mean, scale));
    const step: Step = (z) => [tf.grad((input) => tf.sum(tf.square(value(input))))(z!)];
    const { graph, outputs } = record(native(), step, [x]);
    const fused = fuse(graph, native().binding);
    expect(operators(graph)).toContain('Relu');
    for (const op of ['Relu', 'BiasAdd']) expect(operators(fused)).not.toContain(op);
    expectClose(run(fused, [x])[0]!, outputs[0]!, { rtol: 1e-4, atol: 1e-4 });
  });
});

describe.runIf(available)('the input gradient of a convolution of joined channels', () => {
  it('is computed in parts', () => {
    const [a, b, kernel] = [random(1, [2, 9, 7, 3]), random(2, [2, 9, 7, 5]), random(3, [3, 3, 8, 4])];
    const value = (...parts: Tensor[]) =>
      tf.sum(tf.square(tf.conv2d(tf.concat(parts, 3) as Tensor4D, kernel, 1, 'same')));
    const step: Step = (...parts) => tf.grads(value as (...args: Tensor[]) => tf.Scalar)(parts);
    const { graph, outputs } = record(native(), step, [a, b]);
    const parted = fuse(graph, native().binding);
    expect(operators(graph)).toContain('SplitV');
    expect(operators(parted)).not.toContain('SplitV');
    const found = run(parted, [a, b]);
    for (const [i, output] of outputs.entries()) expectClose(found[i]!, output, { rtol: 1e-4, atol: 1e-4 });
  });
});

describe.runIf(available)('a second recording', () => {
  it('computes nothing', () => {
    const x = random(1, [1, 4, 4, 2]);
    const step: Step = (input) => [tf.relu(tf.add(tf.square(input!), 1))];
    const first = record(native(), step, [x]);
    const numbers = () => (tf.backend() as unknown as { getNumOfTFTensors(): number }).getNumOfTFTensors();
    const before = numbers();
    const same = tf.tidy(() => difference(first, record(native(), step, [x], first)));
    expect(same).toBeUndefined();
    const again = record(native(), step, [x], first);
    expect(again.outputs[0]!.shape).toEqual(x.shape);
    expect(numbers() - before).toBe(0);
  });
});

describe.runIf(available)('a session', () => {
  const convolution: Step = (x, kernel) => [tf.conv2d(x as Tensor4D, kernel as Tensor4D, 1, 'same')];
  const oneThread = (side: number, channels: number) => {
    const inputs = [random(1, [1, side, side, channels]), random(2, [3, 3, channels, channels])];
    const { graph } = record(native(), convolution, inputs);
    // Field 1 of two: `intra_op_parallelism_threads: 1`.
    return sessionConfig(graph, native().binding, true)?.slice(0, 2).join() === '16,1';
  };

  it('runs small convolutions on one thread, large ones on all', () => {
    expect([oneThread(16, 4), oneThread(128, 32)]).toEqual([true, false]);
  });
});
