import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor, Tensor3D } from '@tensorflow/tfjs-core';

/** Sums over the axes along which a tensor of `shape` was broadcast to that of `value`. */
export function sumTo(value: Tensor, shape: readonly number[]): Tensor {
  const target = [...shape];
  const axes = tf.broadcast_util.getReductionAxes(target, value.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(value, axes) : value, target);
}

type Comparison = (a: Tensor, b: Tensor) => Tensor;

/** Gradients of `maximum` and `minimum`, which those of TensorFlow.js do not sum where an input was broadcast. */
export const extremumGradients: readonly GradConfig[] = [
  extremum(tf.Maximum, tf.greaterEqual, tf.less),
  extremum(tf.Minimum, tf.lessEqual, tf.greater),
];

/** Where both inputs are equal the gradient belongs to the first. */
function extremum(kernelName: string, first: Comparison, second: Comparison): GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => {
      const where = (chosen: Comparison) => tf.mul(dy as Tensor, tf.cast(chosen(a!, b!), 'float32'));
      return { a: () => sumTo(where(first), a!.shape), b: () => sumTo(where(second), b!.shape) };
    },
  };
}

/** Gradient of the matrix product, summed over a batch that was broadcast, for the same reason. */
export const matMulGradient: GradConfig = {
  kernelName: tf.BatchMatMul,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [left, right], attrs) => {
    const [y, a, b] = [dy, left, right] as [Tensor3D, Tensor3D, Tensor3D];
    const { transposeA, transposeB } = attrs as unknown as tf.BatchMatMulAttrs;
    const da = () => (transposeA ? tf.matMul(b, y, transposeB, true) : tf.matMul(y, b, false, !transposeB));
    const db = () => (transposeB ? tf.matMul(y, a, true, transposeA) : tf.matMul(a, y, !transposeA, false));
    return { a: () => sumTo(da(), a.shape), b: () => sumTo(db(), b.shape) };
  },
};
