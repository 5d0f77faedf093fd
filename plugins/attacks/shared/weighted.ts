import type { Scalar, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { classLogits, oneHot, type TensorFlow } from '../../../core/index.ts';

/**
 * Cross-entropy with the truth, summed over pixels of which each has a weight.
 *
 * @param weigh weights `[N,H,W]` from two-class or K-class logits and the one-hot truth, both `[N,H,W,K]`; no gradient
 *   passes through them
 */
export function weightedCrossEntropy(
  tf: TensorFlow,
  logits: Tensor4D,
  truth: Tensor3D,
  weigh: (classes: Tensor4D, hot: Tensor4D) => Tensor3D,
): Scalar {
  return tf.tidy(() => {
    const classes = classLogits(logits);
    const hot: Tensor4D = tf.cast(oneHot(truth, classes.shape[3]), 'float32');
    const weights = tf.customGrad((z) => ({
      value: weigh(z as Tensor4D, hot),
      gradFunc: () => tf.zeros(classes.shape),
    }))(classes);
    const loss = tf.neg(tf.sum(tf.mul(hot, tf.logSoftmax(classes, -1)), 3));
    return tf.sum(tf.mul(weights, loss)) as Scalar;
  });
}
