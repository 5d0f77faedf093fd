import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BackendPlugin } from '../../../core/index.ts';
import { installGradients } from '../../../core/ops/index.ts';
import { resolveOptions } from '../../../core/registry/options.ts';
import { installGradients as installForeignGradients } from '../../../plugins/models/foreign/gradients.ts';
import { expectClose } from '../../../core/testing/close.ts';
import { linear } from './adjoint.ts';
import { goldenRuns, goldens, type Golden, type Packed } from './golden.ts';
import { map, sample, sizeOf, type NdArray } from './array.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';

/** Relative to values of about 1: the references are exact, single precision is not. */
const TOLERANCE = { rtol: 2e-5, atol: 1e-5 };
const STEP = 1e-5;

const context = {
  log: { info: () => undefined, warn: console.warn, debug: () => undefined },
  signal: new AbortController().signal,
  cacheDir: '',
};

/** Compares every operator of one backend, forward and gradient, with references in double precision. */
export async function parity(load: () => Promise<{ readonly default: BackendPlugin }>): Promise<void> {
  const { default: plugin } = await load();
  // As when an engine starts: before the backend is probed, which may load it.
  installGradients();
  installForeignGradients();
  const options = resolveOptions(plugin);
  const { available, detail } = await plugin.probe(options, context);
  describe.skipIf(!available)(`${plugin.name} (${detail})`, () => {
    beforeAll(async () => {
      await plugin.start(options, context);
      expect(tf.getBackend()).toBe(plugin.name);
    });
    test.each(rows.map((row) => [row.name, row] as const))('%s', (_, row) => compareForward(row));
    test('has a golden value for every operator that asks for one, and the reverse', () => {
      expect(Object.keys(goldenRuns)).toEqual(Object.keys(goldens));
    });
    test.each(Object.entries(goldens))('%s as in PyTorch', (name, golden) =>
      compareGolden(goldenRuns[name]!, golden),
    );
    // Differences of convolutions take most of the time; they are linear, so that their adjoints say the same.
    const left = plugin.experimental === undefined ? /^$/ : /conv/i;
    const smooth = rows.filter(({ name, forwardOnly }) => !forwardOnly && !left.test(name));
    test.each(smooth.map((row) => [row.name, row] as const))('gradient of %s', (_, row) =>
      compareGradients(row),
    );
    test.each(linear.map((operator) => [operator.name, operator] as const))(
      'adjoint of %s',
      async (_, operator) => {
        for (let input = 0; input < operator.inputs.length; input++) await checkAdjoint(operator, input);
      },
    );
  });
}

function values({ inputs, domain }: Row): NdArray[] {
  return inputs.map((shape, input) => {
    const x = sample(shape, input + 1);
    return domain ? map(x, (value) => Math.fround(domain(value, input))) : x;
  });
}

const tensorOf = ({ shape, data }: NdArray) => tf.tensor(Float32Array.from(data), [...shape], 'float32');

/** Compares what `compute` makes with the values that are wanted; every backend can be read this way. */
async function agree(compute: () => Tensor[], wanted: readonly (NdArray | Packed)[]): Promise<void> {
  const made = tf.tidy(compute);
  const values = await Promise.all(made.map((tensor) => tensor.data<'float32'>()));
  tf.dispose(made);
  for (const [i, { shape, data }] of wanted.entries()) {
    expect([made[i]!.shape, made[i]!.dtype]).toEqual([shape, 'float32']);
    // Some backends leave whole numbers what they were when they become float32.
    expectClose(Float32Array.from(values[i]!), Float32Array.from(data), TOLERANCE);
  }
}

function compareForward(row: Row): Promise<void> {
  const inputs = values(row);
  return agree(() => [row.run(tf, inputs.map(tensorOf))], [row.reference(inputs)]);
}

/** The gradient of a weighted sum of the outputs, against central differences of the reference. */
function compareGradients(row: Row): Promise<void> {
  const inputs = values(row);
  const weights = sample(row.reference(inputs).shape, 17);
  const loss = (arrays: NdArray[]) =>
    row.reference(arrays).data.reduce((total, value, i) => total + value * weights.data[i]!, 0);
  const expected = inputs.map((x, input) => {
    const slopes = map(x, () => 0);
    x.data.forEach((value, i) => {
      const moved = (by: number) =>
        loss(inputs.with(input, { shape: x.shape, data: x.data.with(i, value + by) }));
      slopes.data[i] = (moved(STEP) - moved(-STEP)) / (2 * STEP);
    });
    return slopes;
  });
  const weighted = (...tensors: Tensor[]) => tf.sum(tf.mul(row.run(tf, tensors), tensorOf(weights)));
  return agree(() => tf.grads(weighted)(inputs.map(tensorOf)), expected);
}

async function compareGolden(run: (typeof goldenRuns)[string], golden: Golden): Promise<void> {
  const unpack = ({ shape, data }: Packed) => tf.tensor(data, shape, 'float32');
  await agree(() => [run(tf, golden.inputs.map(unpack))], [golden.output]);
  const weighted = (...tensors: Tensor[]) => tf.sum(tf.mul(run(tf, tensors), unpack(golden.weights)));
  await agree(() => tf.grads(weighted)(golden.inputs.map(unpack)), golden.gradients);
}

/** <A x, y> = <x, A' y>, where A is the operator in one of its inputs and A' its gradient. NaN never passes. */
async function checkAdjoint(operator: (typeof linear)[number], input: number): Promise<void> {
  const made = tf.tidy(() => {
    const tensors = operator.inputs.map((shape, i) => tensorOf(sample(shape, i + 3)));
    const apply = (x: Tensor) => operator.run(tf, tensors.with(input, x));
    const x = tensors[input]!;
    const ax = apply(x);
    const y = tensorOf(sample(ax.shape, 11));
    return { x, ax, y, aty: tf.grad((v) => tf.sum(tf.mul(apply(v), y)))(x) };
  });
  expect(made.aty.shape).toEqual(made.x.shape);
  const [left, size] = await dot(made.ax, made.y);
  const [right] = await dot(made.x, made.aty);
  tf.dispose(made);
  expect(Math.abs(left - right) / size).toBeLessThan(1e-6);
}

/** An inner product in double precision, and the sum of the absolute values of its terms. */
async function dot(a: Tensor, b: Tensor): Promise<[product: number, size: number]> {
  const [x, y] = [await a.data(), await b.data()];
  expect(x.length).toBe(sizeOf(b.shape));
  let [product, size] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    product += x[i]! * y[i]!;
    size += Math.abs(x[i]! * y[i]!);
  }
  return [product, size];
}
