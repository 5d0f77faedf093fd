import { defineIterativeAttack, crossEntropy, inverseMask } from '../../core/index.ts';

export default defineIterativeAttack({
  name: 'targeted-ifgsm',
  summary: 'Targeted iterative FGSM towards the inverse mask, as in the NLCEN paper (equation 6).',
  references: [
    'He et al., Non-Local Context Encoder, AAAI 2019, equation 6',
    'Kurakin et al., Adversarial Examples in the Physical World, ICLR 2017',
  ],
  norm: 'linf',
  options: {
    stepSize: {
      description: 'Step length alpha in intensity units.',
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
    },
    steps: {
      description:
        'Gradient steps at every eps; null takes ceil(min(eps + 4, 1.25 eps)), eps counted in steps.',
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
    },
  },
  goal: (truth, classes) => inverseMask(truth, classes),
  steps: (eps, { steps, stepSize }) => steps ?? kurakinSteps(eps / stepSize),
  stepSize: (_eps, { stepSize }) => stepSize,
  loss: (logits, { goal }) => crossEntropy(logits, goal),
});

/** Equation 6 leaves the rounding open; rounding up is the only rule under which eps 0.5 attacks at all. */
function kurakinSteps(eps: number): number {
  return Math.ceil(Math.min(eps + 4, 1.25 * eps));
}
