import type { Scalar, Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { oneHot, type TensorFlow } from '../../../core/index.ts';

/** Probabilities and truth of the foreground classes, both `[N,H,W,F]`: one class for a sigmoid logit. */
interface Foreground {
  readonly predicted: Tensor4D;
  readonly truth: Tensor4D;
}

function foreground(tf: TensorFlow, logits: Tensor4D, masks: Tensor3D): Foreground {
  const channels = logits.shape[3];
  const rest = (x: Tensor4D) => tf.slice4d(x, [0, 0, 0, 1], [-1, -1, -1, -1]);
  const truth = tf.cast(rest(oneHot(masks, Math.max(2, channels))), 'float32');
  const predicted = channels === 1 ? tf.sigmoid(logits) : rest(tf.softmax(logits));
  return { predicted, truth };
}

/** Sums over the pixels of each image and class. */
const perImage = (tf: TensorFlow, x: Tensor) => tf.sum(x, [1, 2]);

/**
 * Dice loss 1 - (2 sum pg + 1) / (sum p + sum g + 1) of each image and foreground class, averaged.
 * Source: Novikov et al., IEEE TMI 2018; the 1s keep it defined for empty masks.
 */
export function diceLoss(tf: TensorFlow, logits: Tensor4D, masks: Tensor3D): Scalar {
  return tf.tidy(() => {
    const { predicted: p, truth: g } = foreground(tf, logits, masks);
    const hits = perImage(tf, tf.mul(p, g));
    const sizes = tf.add(perImage(tf, p), perImage(tf, g));
    const dice = tf.div(tf.add(tf.mul(hits, 2), 1), tf.add(sizes, 1));
    return tf.sub(1, tf.mean(dice)) as Scalar;
  });
}

/**
 * Jaccard distance 1 - sum pg / (sum p^2 + sum g^2 - sum pg) of each image and foreground class, averaged.
 * Source: Yuan, arXiv 1703.05165; 1e-7 keeps it defined for empty masks.
 */
export function jaccardLoss(tf: TensorFlow, logits: Tensor4D, masks: Tensor3D): Scalar {
  return tf.tidy(() => {
    const { predicted: p, truth: g } = foreground(tf, logits, masks);
    const hits = perImage(tf, tf.mul(p, g));
    const union = tf.sub(tf.add(perImage(tf, tf.square(p)), perImage(tf, g)), hits);
    return tf.sub(1, tf.mean(tf.div(tf.add(hits, 1e-7), tf.add(union, 1e-7)))) as Scalar;
  });
}

/**
 * End-point error: mean over pixels of the distance between the gradients of prediction and truth, by Sobel kernels
 * scaled by 1/8. Both being linear, it is the gradient of the difference. Source: Sarker et al., SLSDeep, MICCAI 2018.
 */
export function endPointError(tf: TensorFlow, logits: Tensor4D, masks: Tensor3D): Scalar {
  return tf.tidy(() => {
    const { predicted, truth } = foreground(tf, logits, masks);
    const [batch, height, width, classes] = predicted.shape;
    const apart = tf.transpose(tf.sub(predicted, truth), [0, 3, 1, 2]);
    const difference = tf.reshape(apart, [batch * classes, height, width, 1]) as Tensor4D;
    const gradient = tf.conv2d(difference, tf.tensor4d(SOBEL, [3, 3, 1, 2]), 1, 'same');
    return tf.mean(tf.sqrt(tf.add(tf.sum(tf.square(gradient), 3), 1e-8))) as Scalar;
  });
}

/** Horizontal and vertical derivative, `[3,3,1,2]`. */
const SOBEL = [-1, -1, 0, -2, 1, -1, -2, 0, 0, 0, 2, 0, -1, 1, 0, 2, 1, 1].map((value) => value / 8);
