import type { Tensor, Tensor1D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import {
  classLogits,
  oneHot,
  type AttackRequest,
  type Context,
  type TensorFlow,
} from '../../../core/index.ts';

/**
 * The worst of several candidates for each image: the one whose prediction has the smallest Dice with the truth, the
 * earlier at a tie. Each candidate costs a forward pass; a single one is taken as it is.
 *
 * @param make the candidate of a number from 0 on, `[N,H,W,C]`
 */
export function worstOf(
  count: number,
  { model, truth }: AttackRequest,
  { tf, signal }: Context,
  make: (index: number) => Tensor4D,
): Tensor4D {
  const scoreOf = (x: Tensor4D) => tf.tidy(() => dice(tf, predicted(tf, model.logits(x)), truth));
  let worst = make(0);
  if (count === 1) return worst;
  let score: Tensor = scoreOf(worst);
  for (let index = 1; index < count; index++) {
    signal.throwIfAborted();
    const next = make(index);
    const nextScore = scoreOf(next);
    const kept = tf.tidy(() => {
      const worse = tf.less(nextScore, score);
      const x = tf.where(tf.reshape(worse, [-1, 1, 1, 1]), next, worst);
      return { x, score: tf.minimum(nextScore, score) };
    });
    tf.dispose([worst, score, next, nextScore]);
    [worst, score] = [kept.x, kept.score];
  }
  score.dispose();
  return worst;
}

/** The predicted class of every pixel as one-hot masks `[N,H,W,K]`. */
function predicted(tf: TensorFlow, logits: Tensor4D): Tensor4D {
  const classes = classLogits(logits);
  return oneHot(tf.argMax(classes, 3), classes.shape[3]);
}

/**
 * Dice of masks or probabilities `[N,H,W,K]` with the true classes, mean over foreground classes, `[N]`; 1 where a class
 * is neither there nor predicted. Pixels of no class count nowhere.
 */
export function dice(tf: TensorFlow, masks: Tensor4D, truth: Tensor3D): Tensor1D {
  return tf.tidy(() => {
    const hot: Tensor4D = tf.cast(oneHot(truth, masks.shape[3]), 'float32');
    const counted: Tensor4D = tf.mul(masks, tf.sum(hot, 3, true));
    const [predictions, truths] = [counted, hot].map((all) => tf.slice(all, [0, 0, 0, 1])) as [
      Tensor4D,
      Tensor4D,
    ];
    const shared = tf.sum(tf.mul(predictions, truths), [1, 2]);
    const sizes = tf.add(tf.sum(predictions, [1, 2]), tf.sum(truths, [1, 2]));
    const tiny = 1e-6;
    return tf.mean(tf.div(tf.add(tf.mul(2, shared), tiny), tf.add(sizes, tiny)), 1) as Tensor1D;
  });
}
