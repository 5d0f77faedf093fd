import type { Tensor4D } from '@tensorflow/tfjs-core';
import { clipToRange, type AttackRequest, type Context, type Random } from '../../../core/index.ts';

/**
 * The images plus eps times random numbers, inside the range. Each image has a stream of its own, whatever its
 * companions.
 *
 * @param key of the stream, beside the sample id
 * @param draw one number from -1 to 1
 */
export function noisy(
  { x, ids, budget, model }: AttackRequest,
  { tf, random }: Context,
  key: readonly (string | number)[],
  draw: (random: Random) => number,
): Tensor4D {
  const size = x.size / ids.length;
  const change = new Float32Array(x.size);
  ids.forEach((id, image) => {
    const stream = random(...key, id);
    for (let i = image * size; i < (image + 1) * size; i++) change[i] = budget.eps * draw(stream);
  });
  return tf.tidy(() => clipToRange(tf.add(x, tf.tensor4d(change, x.shape)), model.domain));
}
