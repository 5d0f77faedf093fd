import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { CountedModel } from '../gradients/model.ts';
import type { Step } from '../plugin.ts';
import { requireFinite } from './finite.ts';

/** What a model says about a batch: classes `[N,H,W]`, and probabilities `[N,H,W,K]` where they are asked for. */
export interface Prediction {
  readonly labels: Uint8Array;
  readonly probabilities?: Float32Array;
}

/**
 * Predicted class of every pixel: the class of the largest logit (the lowest at a tie), or the foreground where one
 * sigmoid logit is above 0.
 *
 * @param probable whether probabilities are wanted; those of one sigmoid logit are of the foreground, K = 1
 * @throws RobustError MODEL_NOT_FINITE when an image that is not padding has NaN or infinite logits.
 */
export async function predict(
  x: Tensor4D,
  model: CountedModel,
  ids: readonly string[],
  compile: (key: string, step: Step) => Step,
  probable = false,
): Promise<Prediction> {
  model.countForward();
  const run = compile(`predict ${probable}`, (input) => {
    const logits = model.segmenter.logits(input as Tensor4D);
    const labels = model.channels === 1 ? tf.greater(logits, 0) : tf.argMax(logits, 3);
    const found = [tf.cast(labels, 'int32'), tf.sum(tf.abs(logits), [1, 2, 3])];
    if (!probable) return found;
    return [...found, model.channels === 1 ? tf.sigmoid(logits) : tf.softmax(logits)];
  });
  const [labels, health, probabilities] = tf.tidy(() => run(x)) as [tf.Tensor, tf.Tensor, tf.Tensor?];
  const classes = await labels.data();
  await requireFinite(health, ids, 'MODEL_NOT_FINITE', {
    message: 'The model returned NaN or infinite logits.',
    expected: 'finite logits for every image',
    next: 'check the weights, and the model for a division by zero or an overflow',
  });
  const values = await probabilities?.data<'float32'>();
  tf.dispose([labels, health, ...(probabilities ? [probabilities] : [])]);
  return { labels: Uint8Array.from(classes), ...(values && { probabilities: values }) };
}
