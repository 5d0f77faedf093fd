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

export { count } from '../../shared/cost.ts';

export function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

/** Four significant digits. */
export function significant(value: number | null): string {
  return value === null ? 'undefined' : String(Number(value.toPrecision(4)));
}

/** A probability: small ones as powers of ten. */
export function chance(p: number | null): string {
  if (p === null) return '';
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3);
}
