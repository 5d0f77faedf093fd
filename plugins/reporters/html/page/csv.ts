import type { Rows } from './rows.ts';

/** Rows as a CSV file (RFC 4180) with every digit of every number. */
export function toCsv(rows: Rows, indices: Iterable<number>): string {
  const lines = [
    ['subject', 'attack', 'eps', 'sample', 'linf', 'gradients', ...rows.metrics].map(field).join(','),
  ];
  for (const index of indices) {
    const { subject, attack, eps, sample, linf, gradients, values } = rows.at(index);
    const texts = [
      subject,
      attack,
      eps,
      sample,
      linf,
      gradients,
      ...rows.metrics.map((metric) => values[metric]),
    ];
    lines.push(texts.map(field).join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Spreadsheets take a text that starts like a formula for one: an apostrophe stops them. */
function field(value: string | number | null | undefined): string {
  if (typeof value !== 'string') return String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Offers a text as a file. */
export function download(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
