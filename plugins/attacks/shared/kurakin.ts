/** Options of attacks that take short steps of one length, so that all budgets share a trajectory. */
export const stepOptions = {
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
} as const;

interface StepOptions {
  readonly stepSize: number;
  readonly steps: number | null;
}

/** The rule of Kurakin et al. It leaves the rounding open; only rounding up attacks at all at eps 0.5. */
export function stepsFor(eps: number, { stepSize, steps }: StepOptions): number {
  const ratio = eps / stepSize;
  return steps ?? Math.ceil(Math.min(ratio + 4, 1.25 * ratio));
}
