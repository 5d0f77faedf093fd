import { Chalk, type ChalkInstance } from 'chalk';
import Table from 'cli-table3';
import { defineReporter, type Curve, type Point, type Report } from '../../core/index.ts';

export default defineReporter({
  name: 'terminal',
  summary: 'Prints one table per metric: eps against subjects, with 95 % intervals.',
  prints: true,
  options: {
    digits: {
      description: 'Decimals of metric values.',
      type: 'integer',
      minimum: 1,
      maximum: 6,
      default: 3,
    },
  },
  report(report, { digits }, { print, columns, colour, dir }) {
    const style = new Chalk({ level: colour ? 1 : 0 });
    const blocks = groups(report.curves).flatMap(([title, curves]) =>
      chunks(curves, perLine(columns, digits)).map((part) => block(title, part, digits, style)),
    );
    print([heading(report, style), ...blocks, footing(report, dir, style)].join('\n\n') + '\n');
  },
});

/** Metric and attack share a table; subjects are its columns. */
function groups(curves: readonly Curve[]): [title: string, curves: Curve[]][] {
  const titles = [...new Set(curves.map(({ metric, attack }) => `${metric} under ${attack}`))];
  return titles.map((title) => [
    title,
    curves.filter(({ metric, attack }) => `${metric} under ${attack}` === title),
  ]);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** Columns that fit beside eps: `0.913 [0.897, 0.925]` and two spaces. */
function perLine(columns: number, digits: number): number {
  return Math.max(1, Math.floor((columns - 8) / (3 * (digits + 2) + 8)));
}

function heading({ status, engine, dataset, seed }: Report, style: ChalkInstance): string {
  const [height, width, channels] = dataset.size;
  const size = `${height} x ${width}${channels === 1 ? '' : ` x ${channels}`}`;
  const lines = [
    `${style.bold(dataset.name)}: ${dataset.images} images of ${size}; ${engine.backend}, ${engine.device}; seed ${seed}`,
    ...dataset.notes.map((note) => style.yellow(`note: ${note}`)),
  ];
  if (status === 'interrupted')
    lines.push(style.yellow('interrupted: only the images finished so far are counted'));
  return lines.join('\n');
}

function block(title: string, curves: readonly Curve[], digits: number, style: ChalkInstance): string {
  const table = new Table({
    head: ['eps', ...curves.map(({ subject }) => subject)],
    colAligns: ['right', ...curves.map(() => 'left' as const)],
    chars: { ...noBorders, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  const levels = [...new Set(curves.flatMap(({ points }) => points.map(({ eps }) => eps)))].sort(
    (a, b) => a - b,
  );
  for (const eps of levels) {
    const cells = curves.map(({ points }) =>
      cell(
        points.find((point) => point.eps === eps),
        digits,
      ),
    );
    table.push([eps === 0 ? 'clean' : String(eps), ...cells]);
  }
  return `${style.bold(title)} ${style.dim('mean over images [95 % interval]')}\n${table.toString()}`;
}

function cell(point: Point | undefined, digits: number): string {
  if (!point) return '';
  const show = (value: number | null) => (value === null ? 'n/a' : value.toFixed(digits));
  const missing = point.undefined > 0 ? ` (${point.undefined} undefined)` : '';
  return `${show(point.mean)} [${show(point.low)}, ${show(point.high)}]${missing}`;
}

function footing({ cost, subjects }: Report, dir: string, style: ChalkInstance): string {
  const count = (value: number) => value.toLocaleString('en-US');
  const lines = [
    `${count(cost.gradients)} gradients and ${count(cost.forwards)} forward passes in ${cost.seconds.toFixed(1)} s`,
    ...subjects.map(({ name, fingerprint, parameters }) => {
      const size = parameters === null ? '' : `, ${count(parameters)} parameters`;
      return `${name}: ${fingerprint.slice(0, 12)}${size}`;
    }),
    `run folder: ${dir}`,
  ];
  return style.dim(lines.join('\n'));
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((name) =>
    ['', '-mid', '-left', '-right'].map((part) => [name + part, '']),
  ),
);
