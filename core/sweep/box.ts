import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { IntensityDomain } from '../vocabulary.ts';

/** Clips images to the intensity range. */
export function clipToRange(x: Tensor4D, { low, high }: IntensityDomain): Tensor4D {
  return tf.clipByValue(x, low, high);
}

/** Projects images onto the L-infinity ball of radius eps around the clean ones. */
export function clipToBall(x: Tensor4D, clean: Tensor4D, eps: number): Tensor4D {
  return tf.tidy(() => tf.minimum(tf.maximum(x, tf.sub(clean, eps)), tf.add(clean, eps)) as Tensor4D);
}
