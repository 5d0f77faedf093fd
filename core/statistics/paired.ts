import type { Row } from '../vocabulary.ts';
import type { Grouped } from './bootstrap.ts';
import { groupBy } from './group.ts';

/** Values of the images that have one, and how many have none. */
export interface Values {
  readonly values: readonly Grouped[];
  readonly undefined: number;
}

/** Finds the rows of a cell; those at eps 0 are the clean ones, whatever the attack. */
export function cellsOf(
  rows: readonly Row[],
): (cell: Pick<Row, 'subject' | 'attack' | 'eps'>) => readonly Row[] {
  const key = ({ subject, attack, eps }: Pick<Row, 'subject' | 'attack' | 'eps'>) =>
    JSON.stringify([subject, eps === 0 ? 'clean' : attack, eps]);
  const cells = groupBy(
    rows.filter(({ attack, eps }) => eps > 0 || attack === 'clean'),
    key,
  );
  return (cell) => cells.get(key(cell)) ?? [];
}

/** The values of a metric in one cell. */
export function valuesOf(rows: readonly Row[], metric: string): Values {
  return defined(rows.map((row) => ({ value: row.values[metric] ?? NaN, group: row.group })));
}

/** Image by image, a metric in one cell minus the same in another; images that only one of them holds are left out. */
export function differences(cell: readonly Row[], other: readonly Row[], metric: string): Values {
  const known = new Map(other.map((row) => [row.sample, row.values[metric] ?? NaN]));
  const shared = cell.filter(({ sample }) => known.has(sample));
  return defined(
    shared.map(({ values, sample, group }) => ({
      value: (values[metric] ?? NaN) - known.get(sample)!,
      group,
    })),
  );
}

/** The mean of values; null when there are none. */
export function meanOf(values: readonly Grouped[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, { value }) => sum + value, 0) / values.length;
}

function defined(all: readonly Grouped[]): Values {
  const values = all.filter(({ value }) => !Number.isNaN(value));
  return { values, undefined: all.length - values.length };
}
