import Table from 'cli-table3';

/** Rows in aligned columns, two spaces apart; the first `left` columns are aligned to the left, others to the right. */
export function table(rows: readonly (readonly string[])[], left: number): string {
  const made = new Table({
    colAligns: rows[0]!.map((_, column) => (column < left ? 'left' : 'right')),
    chars: { ...noBorders, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  made.push(...rows.map((row) => [...row]));
  const lines = made.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n');
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((name) =>
    ['', '-mid', '-left', '-right'].map((part) => [name + part, '']),
  ),
);

/** A bar on a scale from 0: full up to the lower bound of an interval, shaded up to the upper one. */
export function bar(low: number, high: number, scale: number, width: number): string {
  const [from, to] = [low, high].map((value) =>
    Math.round((width * Math.min(Math.max(value, 0), scale)) / scale),
  ) as [number, number];
  return '█'.repeat(from) + '▒'.repeat(Math.max(0, to - from));
}

/** A line of values on a scale from 0, one character each; a gap where there is none. */
export function spark(values: readonly (number | null)[], scale: number): string {
  const steps = '▁▂▃▄▅▆▇█';
  const step = (value: number) => Math.min(7, Math.max(0, Math.floor((8 * value) / scale)));
  return values.map((value) => (value === null ? ' ' : steps[step(value)]!)).join('');
}

/** What bars and sparklines are drawn against: 1 for shares, the largest value otherwise. */
export function scaleOf(values: readonly (number | null)[]): number {
  return Math.max(1, ...values.map((value) => value ?? 0));
}

/** At most `count` items, evenly spread, the first and the last among them. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}
