import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';

/**
 * Undoes what `y = matrix x` did along one axis, as a gradient does: multiplies that axis of dy, of length M, by the
 * transpose of the matrix `[M,N]`.
 */
export function adjointAlong(dy: Tensor, matrix: Tensor2D, axis: number): Tensor {
  const { shape } = dy;
  const [from, to] = matrix.shape;
  const inner = tf.util.sizeFromShape(shape.slice(axis + 1));
  return tf.tidy(() => {
    const columns = tf.reshape(dy, [-1, from, inner]);
    const product = tf.matMul(tf.reshape(matrix, [1, from, to]), columns, true, false);
    return tf.reshape(product, shape.with(axis, to));
  });
}
