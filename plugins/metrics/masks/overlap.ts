import { defineMetric, type Confusion, type MaskPair } from '../../../core/index.ts';
import { emptyOptions, emptySentence, emptyValue, type EmptyPolicy } from './empty.ts';

interface Overlap {
  readonly name: string;
  readonly summary: string;
  readonly references: readonly string[];
  /** From counts of masks that are not empty: 0 is the worst, 1 the best. */
  of(confusion: Confusion): number;
}

/** A metric of counts from 0 to 1 that follows the shared policy for empty masks. */
export function defineOverlap({ of, ...about }: Overlap) {
  const value = (confusion: Confusion, policy: EmptyPolicy) => {
    const { tp, fp, fn } = confusion;
    return emptyValue(tp + fp, tp + fn, policy, 1, 0) ?? of(confusion);
  };
  return defineMetric({
    ...about,
    better: 'higher',
    empty: emptySentence('1', '0'),
    options: emptyOptions,
    measure: ({ confusion }: MaskPair, policy) => value(confusion, policy),
    pool: value,
  });
}

/** TP / (TP + FP + FN). */
export function jaccardOf({ tp, fp, fn }: Confusion): number {
  return tp / (tp + fp + fn);
}
