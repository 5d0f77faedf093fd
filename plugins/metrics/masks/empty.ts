import type { MaskPair } from '../../../core/index.ts';

/**
 * The one policy for empty masks, shared by all metrics that need one. Under attack an empty prediction is a success
 * of the attack: leaving it out of the mean would reward it, so the worst value stands for it.
 */
export const emptyOptions = {
  bothEmpty: {
    description: 'The value where prediction and truth are both empty.',
    enum: ['best', 'worst', 'undefined'],
    default: 'best',
  },
  oneEmpty: {
    description: 'The value where only one of prediction and truth is empty.',
    enum: ['worst', 'undefined'],
    default: 'worst',
  },
} as const;

export interface EmptyPolicy {
  readonly bothEmpty: 'best' | 'worst' | 'undefined';
  readonly oneEmpty: 'worst' | 'undefined';
}

/** The policy as a sentence, for metrics whose best and worst values have a name. */
export function emptySentence(best: string, worst: string): string {
  return `Prediction and truth both empty: ${best}. Only one of them empty: ${worst}. Options \`bothEmpty\` and \`oneEmpty\` change that.`;
}

/** The value that the policy sets, or nothing where prediction and truth both hold something. */
export function emptyValue(
  predicted: number,
  actual: number,
  { bothEmpty, oneEmpty }: EmptyPolicy,
  best: number,
  worst: number,
): number | undefined {
  if (predicted > 0 && actual > 0) return undefined;
  const choice = predicted === actual ? bothEmpty : oneEmpty;
  return { best, worst, undefined: NaN }[choice];
}

/** The longest distance in an image, in millimetres where its spacing is known, else in pixels: the worst of all. */
export function longestDistance({
  shape: [height, width],
  spacing: [vertical, horizontal] = [1, 1],
}: MaskPair): number {
  return Math.hypot((height - 1) * vertical, (width - 1) * horizontal);
}
