import type { Curve } from '../../../core/index.ts';

/** Every eps of curves, from the clean score up. */
export function levelsOf(curves: readonly Curve[]): number[] {
  const levels = curves.flatMap(({ points }) => points.map(({ eps }) => eps));
  return [...new Set(levels)].sort((a, b) => a - b);
}

/** The clean score and the largest eps, and between them one eps for each halving: a fall shows on few lines. */
export function halvings(levels: readonly number[]): number[] {
  const kept: number[] = [];
  for (const eps of levels.toReversed()) if (eps === 0 || eps <= (kept[0] ?? Infinity) / 2) kept.unshift(eps);
  return kept;
}

export function levelName(eps: number): string {
  return eps === 0 ? 'clean' : String(eps);
}
