import type { Tensor3D } from '@tensorflow/tfjs-core';
import { defineAttack } from '../../core/index.ts';
import { projectedAscent, projectedOptions } from './shared/projected.ts';
import { weightedCrossEntropy } from './shared/weighted.ts';

/** A pixel weighs what the cosine of its probabilities and its one-hot truth is: wrong pixels weigh little. */
export default defineAttack({
  name: 'cospgd',
  summary: 'PGD whose pixels weigh the less the more they are wrong already, by cosine similarity.',
  references: ['Agnihotri et al., CosPGD, ICML 2024, equation 4'],
  norm: 'linf',
  options: projectedOptions,
  perturb(request, options, ctx) {
    const { tf } = ctx;
    return projectedAscent('cospgd', request, options, ctx, (logits, truth) =>
      weightedCrossEntropy(tf, logits, truth, (classes, hot) => {
        const probabilities = tf.softmax(classes);
        const length = tf.sqrt(tf.sum(tf.square(probabilities), 3));
        return tf.div(tf.sum(tf.mul(probabilities, hot), 3), length) as Tensor3D;
      }),
    );
  },
});
