import type { Tensor3D } from '@tensorflow/tfjs-core';
import { defineAttack } from '../../core/index.ts';
import { projectedAscent, projectedOptions } from './shared/projected.ts';
import { weightedCrossEntropy } from './shared/weighted.ts';

/** Pixels that are right weigh 1 - lambda, those that are wrong already lambda = (t - 1) / 2T at step t of T. */
export default defineAttack({
  name: 'segpgd',
  summary: 'PGD that first works on the pixels that are still right, and on all alike at its end.',
  references: ['Gu et al., SegPGD, ECCV 2022, equation 5'],
  norm: 'linf',
  options: projectedOptions,
  perturb(request, options, ctx) {
    const { tf } = ctx;
    return projectedAscent('segpgd', request, options, ctx, (logits, step) => {
      const wrong = (step - 1) / (2 * options.steps);
      return weightedCrossEntropy(tf, logits, request.truth, (classes, hot) => {
        const right = tf.equal(tf.argMax(classes, 3), tf.argMax(hot, 3));
        return tf.add(tf.mul(tf.cast(right, 'float32'), 1 - 2 * wrong), wrong) as Tensor3D;
      });
    });
  },
});
