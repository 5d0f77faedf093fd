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
    return projectedAscent('segpgd', request, options, ctx, (logits, truth, done) => {
      return weightedCrossEntropy(tf, logits, truth, (classes, hot) => {
        const right = tf.cast(tf.equal(tf.argMax(classes, 3), tf.argMax(hot, 3)), 'float32');
        return tf.add(tf.mul(right, tf.sub(1, done)), tf.div(done, 2)) as Tensor3D;
      });
    });
  },
});
