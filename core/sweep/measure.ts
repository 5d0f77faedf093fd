import type { Confusion, MaskPair, Sample } from '../vocabulary.ts';

/** Pairs of one-class masks, one for each foreground class. */
export function maskPairs(prediction: Uint8Array, { mask, spacing }: Sample, classes: number): MaskPair[] {
  return Array.from({ length: classes - 1 }, (_, index) => {
    const predicted = prediction.map((value) => Number(value === index + 1));
    const truth = mask.data.map((value) => Number(value === index + 1));
    const pair = { shape: mask.shape, prediction: predicted, truth, confusion: confusion(predicted, truth) };
    return spacing ? { ...pair, spacing } : pair;
  });
}

/** Counts of two 0/1 masks. */
export function confusion(prediction: Uint8Array, truth: Uint8Array): Confusion {
  let tp = 0;
  let predicted = 0;
  let actual = 0;
  for (let i = 0; i < truth.length; i++) {
    tp += prediction[i]! & truth[i]!;
    predicted += prediction[i]!;
    actual += truth[i]!;
  }
  return { tp, fp: predicted - tp, fn: actual - tp, tn: truth.length - predicted - actual + tp };
}

/** Sum of counts, class by class. */
export function addConfusions(a: readonly Confusion[], b: readonly Confusion[]): Confusion[] {
  return a.map((one, k) => {
    const other = b[k]!;
    return { tp: one.tp + other.tp, fp: one.fp + other.fp, fn: one.fn + other.fn, tn: one.tn + other.tn };
  });
}

/** Mean over classes; undefined (null) as soon as one class is. */
export function classMean(values: readonly number[]): number | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Number.isNaN(mean) ? null : mean;
}
