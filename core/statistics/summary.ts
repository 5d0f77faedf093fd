import type { Curve, CurveSummary, Point, Row } from '../vocabulary.ts';

/** Levels whose crossing is reported, for metrics of which more is better. */
const LEVELS = [0.8, 0.5] as const;

/**
 * A curve in few numbers.
 *
 * @param cells the rows of each point of the curve, in its order
 */
export function summarise(
  points: readonly Point[],
  cells: readonly (readonly Row[])[],
  metric: string,
  better: Curve['better'],
): CurveSummary {
  const areaTo = points.at(-1)?.eps ?? 0;
  return {
    area: area(points, areaTo),
    areaTo,
    envelope: envelope(cells, metric, better),
    crossings: better === 'lower' ? [] : LEVELS.map((level) => ({ level, eps: crossing(points, level) })),
  };
}

/** The mean height of the curve from its first point to its last, by the trapezoid rule. */
function area(points: readonly Point[], areaTo: number): number | null {
  const from = points[0]?.eps ?? 0;
  if (areaTo <= from || points.some(({ mean }) => mean === null)) return null;
  const strips = points
    .slice(1)
    .map(({ eps, mean }, i) => ((eps - points[i]!.eps) * (mean! + points[i]!.mean!)) / 2);
  return strips.reduce((sum, strip) => sum + strip, 0) / (areaTo - from);
}

/** The smallest eps at which the mean is at or below a level, interpolated; null when it never is. */
function crossing(points: readonly Point[], level: number): number | null {
  const at = points.findIndex(({ mean }) => mean !== null && mean <= level);
  const [before, after] = [points[at - 1], points[at]];
  if (!after) return null;
  if (!before || before.mean === null) return after.eps;
  return before.eps + ((after.eps - before.eps) * (before.mean - level)) / (before.mean - after.mean!);
}

/**
 * The mean over images of the worst value so far. An adversarial image within a small ball is one within every
 * larger ball too, so this is what an attacker with that budget certainly reaches, and it never recovers. Null where
 * an image has had no value yet.
 */
function envelope(
  cells: readonly (readonly Row[])[],
  metric: string,
  better: Curve['better'],
): (number | null)[] {
  const worst = new Map<string, number>();
  const worse = better === 'lower' ? Math.max : Math.min;
  return cells.map((rows) => {
    for (const { sample, values } of rows) {
      const value = values[metric] ?? null;
      if (value !== null) worst.set(sample, worse(worst.get(sample) ?? value, value));
    }
    const known = rows.map(({ sample }) => worst.get(sample));
    if (known.includes(undefined)) return null;
    return known.reduce<number>((sum, value) => sum + value!, 0) / known.length;
  });
}
