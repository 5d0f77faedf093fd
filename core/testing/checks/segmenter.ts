import assert from 'node:assert/strict';
import type { Scalar, Tensor4D } from '@tensorflow/tfjs-core';
import { crossEntropy } from '../../gradients/losses.ts';
import { lossGradient } from '../../gradients/model.ts';
import type { Context, Dataset, Sample, Segmenter } from '../../vocabulary.ts';
import { imageBatch, maskBatch, samplesOf } from '../batches.ts';
import { expectClose } from '../close.ts';
import { expectNoLeak } from './check.ts';

/** A segmenter with images to show it. */
export interface Subject {
  readonly ctx: Context;
  readonly segmenter: Segmenter;
  readonly data: Dataset;
}

/** Logits have one channel per class, or one for two classes, at every pixel; and are finite. */
export async function logitsFit({ ctx, segmenter, data }: Subject): Promise<void> {
  const x = imageBatch(ctx.tf, await samplesOf(data.test));
  const logits = segmenter.logits(x);
  assert.deepEqual(logits.shape, [data.test.ids.length, data.height, data.width, segmenter.channels]);
  const channels = data.classes.length === 2 ? [1, 2] : [data.classes.length];
  assert(
    channels.includes(segmenter.channels),
    `${segmenter.channels} channels for ${data.classes.length} classes`,
  );
  expectFinite(logits, 'logits');
  ctx.tf.dispose([x, logits]);
}

/** The same images give the same bits, wherever in a batch they stand and whatever stands beside them. */
export async function companionsDoNotMatter({ ctx: { tf }, segmenter, data }: Subject): Promise<void> {
  const [a, b, c] = await samplesOf(data.test);
  const logits = (samples: (typeof a)[]) =>
    tf.tidy(() => tf.unstack(segmenter.logits(imageBatch(tf, samples as NonNullable<typeof a>[]))));
  const [one, again, moved] = [logits([a, b]), logits([a, b]), logits([c, a])];
  expectClose(again[0]!, one[0]!);
  expectClose(again[1]!, one[1]!);
  expectClose(moved[1]!, one[0]!);
  tf.dispose([one, again, moved]);
}

/**
 * What an attack needs: a gradient that is finite everywhere, and not zero on any image except for a baseline; a model
 * that says that it has none must have none.
 */
export async function hasInputGradient({ ctx: { tf }, segmenter, data }: Subject): Promise<void> {
  const samples = await samplesOf(data.test);
  if (segmenter.gradient === false) return hasNoGradient(tf, segmenter, samples);
  const [x, truth] = [imageBatch(tf, samples), maskBatch(tf, samples)];
  const loss = (logits: Tensor4D): Scalar => crossEntropy(logits, truth);
  const gradient = tf.tidy(() => lossGradient(segmenter, x, loss));
  expectFinite(gradient, 'gradient');
  if (segmenter.blind)
    assert(
      gradient.dataSync().every((value) => value === 0),
      'a blind model has a gradient',
    );
  else expectNonZero(tf.unstack(gradient), 'gradient');
  tf.dispose([x, truth, gradient]);
}

function hasNoGradient(tf: Context['tf'], segmenter: Segmenter, samples: readonly Sample[]): void {
  const x = imageBatch(tf, samples);
  assert.throws(
    () => tf.grad((input) => tf.sum(segmenter.logits(input as Tensor4D)))(x),
    'there is a gradient',
  );
  x.dispose();
}

/** Neither logits nor gradients leave tensors behind. */
export async function leaksNothing(subject: Subject): Promise<void> {
  const x = imageBatch(subject.ctx.tf, await samplesOf(subject.data.test));
  await expectNoLeak(subject.ctx.tf, () => exercise(subject, x));
  x.dispose();
}

/** Computes logits and a gradient, and judges neither. Logits outside a tidy, where leaks show. */
export function exercise({ ctx: { tf }, segmenter }: Subject, x: Tensor4D): void {
  segmenter.logits(x).dispose();
  if (segmenter.gradient === false) return;
  lossGradient(segmenter, x, (logits) => tf.sum(logits) as Scalar).dispose();
}

export function expectFinite(tensor: { dataSync(): ArrayLike<number> }, what: string): void {
  const odd = Array.from(tensor.dataSync()).find((value) => !Number.isFinite(value));
  assert.equal(odd, undefined, `${what}: ${odd} among the values`);
}

/** Each of the tensors (one per image) must hold something else than zeros. They are disposed. */
export function expectNonZero(
  images: readonly { dataSync(): ArrayLike<number>; dispose(): void }[],
  what: string,
): void {
  images.forEach((image, i) => {
    assert(
      Array.from(image.dataSync()).some((value) => value !== 0),
      `${what}: all zero for image ${i}`,
    );
    image.dispose();
  });
}
