import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { sumTo } from './broadcast.ts';

/**
 * Gradient of the batch-normalisation kernel y = (x - mean) rsqrt(variance + eps) scale + offset, as TensorFlow.js has it
 * but with everything that does not depend on pixels computed on vectors, and nothing tiled or computed unasked.
 */
export const batchNormGradient: GradConfig = {
  kernelName: tf.FusedBatchNorm,
  inputsToSave: ['x', 'mean', 'variance', 'scale'],
  gradFunc: (dy, [x, mean, variance, scale], attrs) => {
    const parts = { dy: dy as Tensor, x: x!, mean: mean!, factor: scale ?? tf.scalar(1) };
    const rsqrt = () => tf.rsqrt(tf.add(variance!, attrs['varianceEpsilon'] as number));
    const reduced = (value: Tensor) => sumTo(value, mean!.shape);
    return {
      x: () => tf.mul(parts.dy, tf.mul(rsqrt(), parts.factor)),
      mean: () => tf.neg(tf.mul(reduced(parts.dy), tf.mul(rsqrt(), parts.factor))),
      variance: () => tf.mul(reduced(centred(parts)), tf.mul(tf.mul(tf.pow(rsqrt(), 3), -0.5), parts.factor)),
      scale: () => tf.mul(reduced(centred(parts)), rsqrt()),
      offset: () => reduced(parts.dy),
    };
  },
};

function centred({ dy, x, mean }: { dy: Tensor; x: Tensor; mean: Tensor }): Tensor {
  return tf.mul(dy, tf.sub(x, mean));
}
