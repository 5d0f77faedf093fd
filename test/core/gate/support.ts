import type { Curve, Report, Row } from '../../../core/index.ts';
import { makeRandom } from '../../../core/random.ts';
import { sampleReport } from '../../../core/testing/index.ts';

/** Values of one metric of each image, by subject and eps; `clean` is eps 0. */
export type Scores = Readonly<Record<string, Readonly<Record<number, readonly (number | null)[]>>>>;

/** A complete report over such scores, under one attack called `x`. */
export function reportOf(scores: Scores, metric = 'dice', better: Curve['better'] = 'higher'): Report {
  const report = sampleReport();
  const cells = Object.entries(scores).flatMap(([subject, byEps]) =>
    Object.entries(byEps).map(([eps, values]) => ({ subject, eps: Number(eps), values })),
  );
  const rows = cells.flatMap(({ subject, eps, values }) =>
    values.map((value, i) => row(subject, eps, `case-${i}`, { [metric]: value })),
  );
  return {
    ...report,
    dataset: { ...report.dataset, images: new Set(rows.map(({ sample }) => sample)).size },
    subjects: Object.keys(scores).map((name) => ({ ...report.subjects[0]!, name })),
    curves: Object.keys(scores).map((subject) => ({
      ...{ subject, attack: 'x', metric, better: better! },
      points: Object.keys(scores[subject]!).map((eps) => point(Number(eps))),
    })),
    rows,
  };
}

function row(subject: string, eps: number, sample: string, values: Row['values']): Row {
  const attack = eps === 0 ? 'clean' : 'x';
  const place = { cell: `${subject}/${attack}/${eps}`, subject, attack, eps, sample, group: sample };
  return { ...place, linf: eps, gradients: 1, values, confusion: [] };
}

function point(eps: number) {
  return { eps, mean: null, low: null, high: null, pooled: null, n: 0, undefined: 0 };
}

/** Normal values with a mean and a deviation, the same for the same key. */
export function spread(
  mean: number,
  deviation: number,
  n: number,
  key: string | number = 'values',
): number[] {
  const { normal } = makeRandom(0)('spread', key);
  return Array.from({ length: n }, () => mean + deviation * normal());
}
