/**
 * p-values corrected for their number by Holm's step-down rule: if those below 0.05 are called real, the chance that
 * any of them is a false alarm stays below 0.05. Unknown values (null) stay so, and do not count.
 *
 * @see Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979
 */
export function holm(values: readonly (number | null)[]): (number | null)[] {
  const known = [...values.keys()].filter((i) => values[i] !== null).sort((a, b) => values[a]! - values[b]!);
  const corrected: (number | null)[] = values.map(() => null);
  let largest = 0;
  known.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (known.length - rank) * values[index]!));
    corrected[index] = largest;
  });
  return corrected;
}
