import type { Tensor } from '@tensorflow/tfjs-core';

/** Largest difference that counts as rounding, relative to the largest magnitude of the tensor. */
const TOLERANCE = 1e-3;
/**
 * Share of elements that may differ by more. Sums in another order turn a ReLU, a sign or an Adam step around where its
 * argument is zero but for rounding; a wrong graph changes far more.
 */
const SHARE = 0.05;

/** Why two sets of outputs are not the same but for rounding; undefined when they are. */
export function disagreement(actual: readonly Tensor[], expected: readonly Tensor[]): string | undefined {
  let differing = 0;
  let total = 0;
  for (const [i, wanted] of expected.entries()) {
    const got = actual[i];
    if (!got || got.dtype !== wanted.dtype || got.shape.join() !== wanted.shape.join()) {
      return `its graph gives output ${i} another shape or dtype`;
    }
    const count = countDifferences(got.dataSync(), wanted.dataSync());
    if (count > 0 && wanted.size === 1) return `its graph computes another value for output ${i}`;
    differing += count;
    total += wanted.size;
  }
  return differing > SHARE * total
    ? `its graph computes other values for ${differing} of ${total} elements`
    : undefined;
}

function countDifferences(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const magnitude = Math.abs(expected[i]!);
    if (magnitude > largest && magnitude < Infinity) largest = magnitude;
  }
  let count = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (!Object.is(a, b) && !(Math.abs(a - b) <= TOLERANCE * largest)) count++;
  }
  return count;
}
