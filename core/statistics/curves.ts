import type { Resolved } from '../config/types.ts';
import { addConfusions, classMean } from '../sweep/measure.ts';
import type { Curve, Point, Random, Row } from '../vocabulary.ts';
import { bootstrapMean } from './bootstrap.ts';

/** The curves of all rows: metric against eps for each subject and attack; the clean rows are the point at eps 0. */
export function makeCurves(
  rows: readonly Row[],
  metrics: readonly Resolved<'metric'>[],
  random: (...key: string[]) => Random,
): Curve[] {
  const clean = rows.filter(({ attack }) => attack === 'clean');
  const attacked = groupBy(rows, ({ subject, attack }) => `${subject}\n${attack}`).filter(
    ([first]) => first!.attack !== 'clean',
  );
  return attacked.flatMap((own) => {
    const { subject, attack } = own[0]!;
    const untouched = clean.filter((row) => row.subject === subject);
    const perturbed = own.filter(({ eps }) => eps > 0);
    const levels = [
      untouched,
      ...groupBy(perturbed, ({ eps }) => String(eps)).sort((a, b) => a[0]!.eps - b[0]!.eps),
    ];
    return metrics.map((metric) => ({
      subject,
      attack,
      metric: metric.plugin.name,
      // One stream per metric: every level is resampled alike, so intervals of one curve move together.
      points: levels
        .filter((level) => level.length > 0)
        .map((level) => point(level, metric, random('interval'))),
    }));
  });
}

function point(rows: readonly Row[], { plugin, options }: Resolved<'metric'>, random: Random): Point {
  const values = rows.map(({ values, group }) => ({ value: values[plugin.name] ?? NaN, group }));
  const defined = values.filter(({ value }) => !Number.isNaN(value));
  const mean = defined.reduce((sum, { value }) => sum + value, 0) / defined.length;
  const summed = rows.map(({ confusion }) => confusion).reduce(addConfusions);
  return {
    eps: rows[0]!.eps,
    mean: Number.isNaN(mean) ? null : mean,
    ...bootstrapMean(defined, random),
    pooled: plugin.pool ? classMean(summed.map((counts) => plugin.pool!(counts, options))) : null,
    n: defined.length,
    undefined: values.length - defined.length,
  };
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()];
}
