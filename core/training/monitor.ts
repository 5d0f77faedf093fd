import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { IGNORED } from '../dataset.ts';
import { classLogits } from '../gradients/losses.ts';
import type { Batch } from './batches.ts';
import type { BatchShape } from './learner.ts';
import { outputsOf, type Trainable } from './step.ts';

/** Batches that the progress score is taken from: a twentieth of an epoch, at least 1 and at most 4. */
export function monitorBatches(steps: number): number {
  return Math.min(4, Math.max(1, Math.round(steps / 20)));
}

/**
 * Mean Dice of the foreground over images in inference mode.
 *
 * @param images How many there are; the last batch is padded.
 */
export async function meanDice(
  { model }: Trainable,
  batches: AsyncIterable<Batch>,
  images: number,
  shape: BatchShape,
): Promise<number> {
  const scores: number[] = [];
  for await (const { images: pixels, masks } of batches) {
    const predicted = tf.tidy(() => {
      const [logits] = outputsOf(model, tf.tensor4d(pixels, [...shape]), false);
      return tf.argMax(classLogits(logits!), 3) as Tensor3D;
    });
    const classes = await predicted.data();
    predicted.dispose();
    const size = shape[1] * shape[2];
    for (let at = 0; at < masks.length; at += size) {
      scores.push(foregroundDice(classes.subarray(at, at + size), masks.subarray(at, at + size)));
    }
  }
  const counted = scores.slice(0, images);
  return counted.reduce((a, b) => a + b, 0) / counted.length;
}

function foregroundDice(predicted: ArrayLike<number>, truth: Int32Array): number {
  let [hits, size] = [0, 0];
  truth.forEach((wanted, at) => {
    if (wanted === IGNORED) return;
    const got = predicted[at]!;
    size += Number(wanted > 0) + Number(got > 0);
    hits += Number(wanted > 0 && got === wanted);
  });
  return size === 0 ? 1 : (2 * hits) / size;
}
