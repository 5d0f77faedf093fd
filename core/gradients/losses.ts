import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

/**
 * Two-class or K-class logits of a segmenter: one sigmoid logit z becomes (0, z), so that every model is attacked
 * and scored with the same loss.
 */
export function classLogits(logits: Tensor4D): Tensor4D {
  return logits.shape[3] === 1 ? tf.concat([tf.zerosLike(logits), logits], 3) : logits;
}

/** One-hot masks `[N,H,W,K]` (float32) of class indices `[N,H,W]`. */
export function oneHot(masks: Tensor3D, classes: number): Tensor4D {
  return tf.oneHot(tf.cast(masks, 'int32'), classes) as Tensor4D;
}

/**
 * Cross-entropy of logits `[N,H,W,K]` against class indices `[N,H,W]`, summed over pixels and images, from
 * log-softmax: confident pixels keep their gradient where log(softmax) would underflow.
 */
export function crossEntropy(logits: Tensor4D, masks: Tensor3D): Scalar {
  return tf.tidy(() => {
    const full = classLogits(logits);
    const hot = tf.cast(oneHot(masks, full.shape[3]), 'float32');
    return tf.neg(tf.sum(tf.mul(hot, tf.logSoftmax(full, -1)))) as Scalar;
  });
}

/** {@link crossEntropy} averaged over pixels and images. */
export function meanCrossEntropy(logits: Tensor4D, masks: Tensor3D): Scalar {
  return tf.tidy(() => tf.div(crossEntropy(logits, masks), masks.size) as Scalar);
}

/** The mask with foreground and background exchanged: class k becomes K - 1 - k. */
export function inverseMask(truth: Tensor3D, classes: number): Tensor3D {
  return tf.tidy(() => tf.sub(tf.scalar(classes - 1, 'int32'), tf.cast(truth, 'int32')) as Tensor3D);
}
