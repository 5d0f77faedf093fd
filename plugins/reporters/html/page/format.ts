/** A measured value with three decimals. */
export function decimal(value: number | null | undefined): string {
  return value === null || value === undefined ? 'undefined' : value.toFixed(3);
}

/** `0.913 [0.897, 0.925]`. */
export function interval(point: { mean: number | null; low: number | null; high: number | null }): string {
  return point.mean === null
    ? 'undefined'
    : `${decimal(point.mean)} [${decimal(point.low)}, ${decimal(point.high)}]`;
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
