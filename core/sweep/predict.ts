import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { CountedModel } from '../gradients/model.ts';
import type { Step } from '../plugin.ts';
import { requireFinite } from './finite.ts';

/**
 * Predicted class of every pixel, `[N,H,W]` back to back: the class of the largest logit (the lowest at a tie), or
 * the foreground where one sigmoid logit is above 0.
 *
 * @throws RobustError MODEL_NOT_FINITE when an image that is not padding has NaN or infinite logits.
 */
export async function predict(
  x: Tensor4D,
  model: CountedModel,
  ids: readonly string[],
  compile: (key: string, step: Step) => Step,
): Promise<Uint8Array> {
  model.countForward();
  const run = compile('predict', (input) => {
    const logits = model.segmenter.logits(input as Tensor4D);
    const labels = model.channels === 1 ? tf.greater(logits, 0) : tf.argMax(logits, 3);
    return [tf.cast(labels, 'int32'), tf.sum(tf.abs(logits), [1, 2, 3])];
  });
  const [labels, health] = tf.tidy(() => run(x)) as [tf.Tensor, tf.Tensor];
  const classes = await labels.data();
  await requireFinite(health, ids, 'MODEL_NOT_FINITE', {
    message: 'The model returned NaN or infinite logits.',
    expected: 'finite logits for every image',
    next: 'check the weights, and the model for a division by zero or an overflow',
  });
  tf.dispose([labels, health]);
  return Uint8Array.from(classes);
}
