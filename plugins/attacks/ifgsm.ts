import { defineIterativeAttack, crossEntropy } from '../../core/index.ts';
import { stepOptions, stepsFor } from './shared/kurakin.ts';

export default defineIterativeAttack({
  name: 'ifgsm',
  summary: 'Iterative FGSM, also called BIM: steps that raise the loss of the truth.',
  references: ['Kurakin et al., Adversarial Examples in the Physical World, ICLR 2017'],
  norm: 'linf',
  options: stepOptions,
  steps: stepsFor,
  stepSize: (_eps, { stepSize }) => stepSize,
  // Core descends.
  loss: (logits, { truth }, _options, { tf }) => tf.neg(crossEntropy(logits, truth)),
});
