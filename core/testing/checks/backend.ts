import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { RobustError } from '../../errors/index.ts';
import type { Availability, BackendPlugin, Engine } from '../../plugin.ts';
import { makeRandom } from '../../random.ts';
import { expectClose } from '../close.ts';
import { backendContext } from '../context.ts';
import { curvedSegmenter, linearGradient, linearSegmenter, thresholdWeights } from '../toys.ts';
import { crossEntropy } from '../../gradients/losses.ts';
import * as reference from '../reference.ts';
import { expectNoLeak, lazy, type Check, type ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';

/** What every backend must satisfy. Starts it: the process can start no other one afterwards. */
export function backendChecks(plugin: BackendPlugin, settings: ContractSettings = {}): Check[] {
  const options = () => resolvedOptions(plugin, settings.options);
  const probe = lazy(async () => plugin.probe(options(), backendContext()));
  const start = lazy(async () => plugin.start(options(), backendContext()));
  /** Only what can run can be asked to compute. */
  const computing = (name: string, run: (engine: Engine) => void | Promise<void>): Check => ({
    name: `${name}, where it can run`,
    run: async () => {
      if ((await probe()).available) await run(await start());
    },
  });
  return [
    ...metadataChecks(plugin, settings),
    { name: 'says whether it can run here', run: async () => answers(await probe()) },
    { name: 'starts, or explains why not', run: async () => startsOrExplains(await probe(), start) },
    computing('says what it is', ({ info }) => describes(info.backend === tf.getBackend(), info)),
    computing('agrees with plain JavaScript on convolutions, forward and backward', convolutions),
    computing('agrees with the closed form of a linear model', closedForm),
    computing('gives the same bits when asked again, whatever the place in the batch', repeatable),
    computing('compiles a step to what the step computes', compiles),
    computing('leaks no tensor', () => expectNoLeak(tf, convolutions)),
  ];
}

function answers({ available, detail, advice }: Availability): void {
  assert.notEqual(detail, '', 'no detail');
  assert(available || advice === undefined || advice !== '', 'empty advice');
}

async function startsOrExplains({ available }: Availability, start: () => Promise<Engine>): Promise<void> {
  if (available) return void (await start());
  await assert.rejects(
    start,
    (error) => error instanceof RobustError && error.code === 'BACKEND_UNAVAILABLE',
  );
}

function describes(current: boolean, { backend, version, device, threads }: Engine['info']): void {
  assert(current, `it says '${backend}', but TensorFlow.js runs '${tf.getBackend()}'`);
  assert(version !== '' && device !== '', 'version and device');
  assert(Number.isInteger(threads) && threads >= 1, `${threads} threads`);
}

const random = makeRandom(0);
const numbers = (key: string, count: number): Float32Array => {
  const { normal } = random('backend', key);
  return Float32Array.from({ length: count }, normal);
};

/** What tensors hold, read as every backend can be: some give values later only. Disposes of the tensors. */
async function valuesOf(tensors: readonly tf.Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  tf.dispose([...tensors]);
  return values;
}

/** 3x3 convolution, ReLU and a weighted sum: logits, input gradient, filter gradient. */
async function convolutions(): Promise<void> {
  const shape = { batch: 2, height: 5, width: 4, from: 3, to: 2 };
  const x = numbers('x', 2 * 5 * 4 * 3);
  const filter = numbers('filter', 9 * 3 * 2);
  const weights = numbers('weights', 2 * 5 * 4 * 2);
  const wanted = reference.convolution(x, filter, weights, shape);
  const made = tf.tidy(() => {
    const [x4, filter4] = [tf.tensor4d(x, [2, 5, 4, 3]), tf.tensor4d(filter, [3, 3, 3, 2])];
    const forward = (image: tf.Tensor, kernel: tf.Tensor) =>
      tf.relu(tf.conv2d(image as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'same'));
    const loss = (image: tf.Tensor, kernel: tf.Tensor) =>
      tf.sum(tf.mul(forward(image, kernel), tf.tensor4d(weights, [2, 5, 4, 2])));
    return [forward(x4, filter4), ...tf.grads(loss)([x4, filter4])];
  });
  const expected = [wanted.output, wanted.inputGradient, wanted.filterGradient];
  for (const [i, values] of (await valuesOf(made)).entries())
    expectClose(values, Float32Array.from(expected[i]!), { rtol: 1e-4, atol: 1e-4 });
}

async function closedForm(): Promise<void> {
  const weights = thresholdWeights(3);
  const pixels = numbers('pixels', 2 * 4 * 3 * 3).map((value) => 128 + 50 * value);
  const goal = numbers('goal', 2 * 4 * 3).map((value) => Number(value > 0));
  const model = linearSegmenter({ ...tfl, ...tf }, weights);
  const gradient = tf.tidy(() => {
    const masks = tf.tensor3d([...goal], [2, 4, 3], 'int32');
    const loss = (x: tf.Tensor) => crossEntropy(model.logits(x as tf.Tensor4D), masks);
    return tf.grad(loss)(tf.tensor4d(pixels, [2, 4, 3, 3]));
  });
  model.dispose();
  const [values] = await valuesOf([gradient]);
  expectClose(values!, Float32Array.from(linearGradient(weights, pixels, goal)), { rtol: 1e-4, atol: 1e-6 });
}

/** Results and gradients of an image must not depend on its place in a batch: everything shared rests on it. */
async function repeatable(): Promise<void> {
  const model = curvedSegmenter({ ...tfl, ...tf }, 3);
  const made = tf.tidy(() => {
    const x = tf.tensor4d(
      numbers('images', 3 * 6 * 5 * 3).map((v) => 128 + 60 * v),
      [3, 6, 5, 3],
    );
    const gradient = (images: tf.Tensor) =>
      tf.grad((input) => tf.sum(tf.square(model.logits(input as tf.Tensor4D))))(images);
    return [gradient(x), gradient(x), tf.reverse(gradient(tf.reverse(x, 0)), 0)];
  });
  model.dispose();
  const [first, again, reversed] = await valuesOf(made);
  expectClose(again!, first!);
  expectClose(reversed!, first!);
}

async function compiles(engine: Engine): Promise<void> {
  const step = (a: tf.Tensor, b: tf.Tensor) => [tf.add(tf.mul(a, b), 1), tf.relu(tf.sub(a, b))];
  const compiled = engine.compile?.(step as Parameters<NonNullable<Engine['compile']>>[0]);
  if (!compiled) return;
  for (const round of ['first', 'second']) {
    const made = tf.tidy(() => {
      const a = tf.tensor2d(numbers(`a ${round}`, 12), [3, 4]);
      const b = tf.tensor2d(numbers(`b ${round}`, 12), [3, 4]);
      return [...step(a, b), ...compiled(a, b)];
    });
    const [sum, difference, ...got] = await valuesOf(made);
    [sum, difference].forEach((wanted, i) => expectClose(got[i]!, wanted!, { rtol: 1e-6, atol: 1e-6 }));
  }
  compiled.dispose();
}
