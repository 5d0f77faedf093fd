import type { Tensor4D } from '@tensorflow/tfjs-core';
import { crossEntropy, defineIterativeAttack } from '../../core/index.ts';
import { stepOptions, stepsFor } from './shared/kurakin.ts';

export default defineIterativeAttack({
  name: 'mi-fgsm',
  summary: 'Iterative FGSM whose steps remember the gradients before: images that also hurt other models.',
  references: ['Dong et al., Boosting Adversarial Attacks with Momentum, CVPR 2018, equations 6 and 7'],
  norm: 'linf',
  options: {
    ...stepOptions,
    decay: {
      description: 'What is kept of the momentum from step to step; 0 is ifgsm.',
      type: 'number',
      minimum: 0,
      default: 1,
    },
  },
  steps: stepsFor,
  stepSize: (_eps, { stepSize }) => stepSize,
  loss: (logits, { truth }) => crossEntropy(logits, truth),
  direction(gradient, memory, { decay }, { tf }) {
    // Images whose gradient is zero everywhere keep their momentum.
    const size = tf.maximum(tf.mean(tf.abs(gradient), [1, 2, 3], true), 1e-30);
    const momentum: Tensor4D = tf.add(tf.mul(memory!, decay), tf.div(gradient, size));
    return { direction: tf.sign(momentum), memory: momentum };
  },
});
