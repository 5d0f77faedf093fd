import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { RobustError } from '../errors/index.ts';
import type { CountedModel } from '../gradients/model.ts';
import type { Step } from '../plugin.ts';

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
  const [classes, sums] = await Promise.all([labels.data(), health.data()]);
  tf.dispose([labels, health]);
  const bad = ids.filter((_, image) => !Number.isFinite(sums[image]));
  if (bad.length > 0) {
    throw new RobustError('MODEL_NOT_FINITE', {
      message: 'The model returned NaN or infinite logits.',
      where: `sample ${bad.slice(0, 3).join(', ')}`,
      expected: 'finite logits for every image',
      received: `${bad.length} of ${ids.length} images of this batch without`,
      next: 'check the weights, and the model for a division by zero or an overflow',
    });
  }
  return Uint8Array.from(classes);
}
