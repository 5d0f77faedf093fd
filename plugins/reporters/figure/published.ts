import { short, type Report } from '../../../core/index.ts';

/** One number that a paper states. */
export interface Published {
  readonly subject: string;
  readonly metric: string;
  /** 0 for clean images. */
  readonly eps: number;
  readonly value: number;
}

/** A table of published values beside those of this run; nothing where nothing is published. */
export function comparisonText(
  report: Report,
  published: readonly Published[],
  remarks: readonly string[],
): string[] {
  if (published.length === 0) return [];
  const rows = published.map((one) => [
    short(one.subject, 16),
    short(one.metric, 14),
    one.eps === 0 ? 'clean' : String(one.eps),
    one.value.toFixed(3),
    ...here(report, one),
  ]);
  const table = [['subject', 'metric', 'eps', 'published', 'here', 'difference'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return [
    'published and here',
    ...table.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    ),
    ...remarks.map((remark) => short(`! not the published experiment: ${remark}`, 80)),
  ];
}

function here(report: Report, { subject, metric, eps, value }: Published): [string, string] {
  const curve = report.curves.find((each) => each.subject === subject && each.metric === metric);
  const point = curve?.points.find((each) => each.eps === eps);
  if (point?.mean === undefined || point.mean === null) return ['not run', ''];
  const { mean, low, high } = point;
  const [from, to] = [low, high].map((bound) => (bound === null ? '?' : bound.toFixed(3)));
  const difference = mean - value;
  return [`${mean.toFixed(3)} [${from}, ${to}]`, `${difference < 0 ? '' : '+'}${difference.toFixed(3)}`];
}
