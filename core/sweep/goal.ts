import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Resolved } from '../config/types.ts';
import { RobustError } from '../errors/index.ts';
import type { Context } from '../vocabulary.ts';

/**
 * What an attack wants to be predicted, `[N,H,W]`, int32: the truth itself (the same tensor) for untargeted attacks.
 *
 * @throws RobustError GOAL_INVALID when the attack makes masks of another shape or type.
 */
export function goalMasks(
  { plugin, options }: Resolved<'attack'>,
  truth: Tensor3D,
  classes: number,
  ctx: Context,
): Tensor3D {
  if (!plugin.goal) return truth;
  const goal = tf.tidy(() => plugin.goal!(truth, classes, options, ctx));
  if (tf.util.arraysEqual(goal.shape, truth.shape) && goal.dtype === 'int32') return goal;
  throw new RobustError('GOAL_INVALID', {
    message: `The attack '${plugin.name}' made goal masks that do not fit the data.`,
    where: plugin.name,
    expected: `int32 [${truth.shape.join(', ')}]`,
    received: `${goal.dtype} [${goal.shape.join(', ')}]`,
    next: 'return one class index per pixel',
  });
}
