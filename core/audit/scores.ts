import type { Confusion } from '../vocabulary.ts';

/** Predicted class of each pixel from logits `[H,W,K]`, by the rule that scores images. */
export function labels(logits: Float32Array, channels: number): Uint8Array {
  const classes = new Uint8Array(logits.length / channels);
  for (let pixel = 0; pixel < classes.length; pixel++) {
    if (channels === 1) classes[pixel] = Number(logits[pixel]! > 0);
    else for (let k = 1; k < channels; k++) if (at(pixel, k) > at(pixel, classes[pixel]!)) classes[pixel] = k;
  }
  return classes;

  function at(pixel: number, k: number): number {
    return logits[pixel * channels + k]!;
  }
}

/**
 * Dice of summed counts, averaged over foreground classes; 1 where a class is neither there nor predicted. The audit
 * scores with it whatever metrics a configuration names, so that its thresholds mean the same everywhere.
 */
export function overlap(confusion: readonly Confusion[]): number {
  return mean(confusion.map(({ tp, fp, fn }) => (tp + fp + fn > 0 ? (2 * tp) / (2 * tp + fp + fn) : 1)));
}

/**
 * Cross-entropy of logits `[H,W,K]` with a mask, summed over pixels in double precision: differences of it stay exact
 * where a float32 sum over an image would round them away.
 */
export function crossEntropySum(logits: Float32Array, channels: number, mask: ArrayLike<number>): number {
  let sum = 0;
  const z = new Float64Array(Math.max(2, channels));
  for (let pixel = 0; pixel < mask.length; pixel++) {
    // Pixels of no class count nowhere.
    if (mask[pixel]! >= z.length) continue;
    // One sigmoid logit stands for the two-class logits (0, z).
    for (let k = 0; k < channels; k++) z[channels === 1 ? 1 : k] = logits[pixel * channels + k]!;
    const top = z.reduce((a, b) => Math.max(a, b));
    sum += top + Math.log(z.reduce((total, value) => total + Math.exp(value - top), 0)) - z[mask[pixel]!]!;
  }
  return sum;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The largest of many values, and at least 0; NaN when one is NaN. */
export function largest(values: readonly number[]): number {
  return values.reduce((most, value) => (value <= most ? most : value), 0);
}

/** Share of the items for which something holds. */
export function share<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number {
  return items.filter(holds).length / items.length;
}

/** Largest absolute difference of two lists of equal length; NaN when one of them holds NaN. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = difference;
    if (Number.isNaN(difference)) return NaN;
  }
  return most;
}
