import Table from 'cli-table3';

const lines = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
];
const rest = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
const bare = Object.fromEntries([...lines, ...rest].map((name) => [name, '']));

/** Rows in aligned columns without borders; columns in `right` are aligned to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const made = new Table({
    chars: { ...bare, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colAligns: [...(rows[0] ?? head).keys()].map((column) => (right.includes(column) ? 'right' : 'left')),
  });
  if (head.length > 0) made.push([...head]);
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
