import { defineIterativeAttack, crossEntropy, inverseMask } from '../../core/index.ts';
import { stepOptions, stepsFor } from './shared/kurakin.ts';

export default defineIterativeAttack({
  name: 'targeted-ifgsm',
  summary: 'Targeted iterative FGSM towards the inverse mask, as in the NLCEN paper (equation 6).',
  references: [
    'He et al., Non-Local Context Encoder, AAAI 2019, equation 6',
    'Kurakin et al., Adversarial Examples in the Physical World, ICLR 2017',
  ],
  norm: 'linf',
  options: stepOptions,
  goal: (truth, classes) => inverseMask(truth, classes),
  steps: stepsFor,
  stepSize: (_eps, { stepSize }) => stepSize,
  loss: (logits, { goal }) => crossEntropy(logits, goal),
});
