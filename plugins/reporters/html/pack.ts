import type { Row } from '../../../core/index.ts';
import type { PackedRows } from './data.ts';

/** Rows as columns: ten times smaller, and every number as it is. */
export function packRows(rows: readonly Row[]): PackedRows {
  const places = new Map<string, number>();
  const place = (name: string) => {
    const known = places.get(name) ?? places.size;
    places.set(name, known);
    return known;
  };
  const metrics = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  return {
    subject: rows.map(({ subject }) => place(subject)),
    attack: rows.map(({ attack }) => place(attack)),
    sample: rows.map(({ sample }) => place(sample)),
    eps: rows.map(({ eps }) => eps),
    linf: rows.map(({ linf }) => linf),
    gradients: rows.map(({ gradients }) => gradients),
    values: Object.fromEntries(
      metrics.map((metric) => [metric, rows.map(({ values }) => values[metric] ?? null)]),
    ),
    names: [...places.keys()],
  };
}

/** JSON that may stand inside a script element: no text of it can end the element. */
export function embed(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', String.raw`\u003c`);
}
