import type { Resolved } from '../config/types.ts';
import { addConfusions, classMean, measures, type Measure } from '../sweep/measure.ts';
import type { Curve, Point, Random, Row } from '../vocabulary.ts';
import { Bootstrap } from './bootstrap.ts';
import { groupBy } from './group.ts';
import { meanOf, valuesOf } from './paired.ts';
import { summarise } from './summary.ts';

/** The curves of all rows: metric against eps for each subject and attack; the clean rows are the point at eps 0. */
export function makeCurves(
  rows: readonly Row[],
  metrics: readonly Resolved<'metric'>[],
  classes: readonly string[],
  random: (...key: string[]) => Random,
): Curve[] {
  const bootstrap = new Bootstrap(() => random('interval'));
  const clean = rows.filter(({ attack }) => attack === 'clean');
  const attacked = rows.filter(({ attack }) => attack !== 'clean');
  const groups = groupBy(attacked, ({ subject, attack }) => JSON.stringify([subject, attack]));
  return [...groups.values()].flatMap((own) => {
    const { subject, attack } = own[0]!;
    const untouched = clean.filter((row) => row.subject === subject);
    const perturbed = own.filter(({ eps }) => eps > 0);
    const levels = [
      untouched,
      ...[...groupBy(perturbed, ({ eps }) => String(eps)).values()].sort((a, b) => a[0]!.eps - b[0]!.eps),
    ].filter((level) => level.length > 0);
    return metrics.flatMap((metric) =>
      measures(metric.plugin.name, classes).map((measure) => {
        const { better } = metric.plugin;
        const points = levels.map((level) => point(level, metric, measure, bootstrap));
        const summary = summarise(points, levels, measure.name, better);
        return { subject, attack, metric: measure.name, better, points, summary };
      }),
    );
  });
}

function point(
  rows: readonly Row[],
  { plugin, options }: Resolved<'metric'>,
  { name, pick }: Measure,
  bootstrap: Bootstrap,
): Point {
  const { values, undefined: missing } = valuesOf(rows, name);
  const summed = pick(rows.map(({ confusion }) => confusion).reduce(addConfusions));
  return {
    eps: rows[0]!.eps,
    mean: meanOf(values),
    ...bootstrap.mean(values),
    pooled: plugin.pool ? classMean(summed.map((counts) => plugin.pool!(counts, options))) : null,
    n: values.length,
    undefined: missing,
  };
}
