import { stripVTControlCharacters } from 'node:util';
import { Chalk, type ChalkInstance } from 'chalk';
import Table from 'cli-table3';
import {
  auditText,
  defineReporter,
  gateText,
  type Curve,
  type Point,
  type Report,
} from '../../core/index.ts';

export default defineReporter({
  name: 'terminal',
  summary: 'Prints what gates say, then one table per metric: eps against subjects, with 95 % intervals.',
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
    const { gates = [], audit = [] } = report;
    const style = new Chalk({ level: colour ? 1 : 0 });
    const line = (text: string) => fit(text, columns);
    const blocks = groups(report.curves).flatMap(([title, curves]) =>
      chunks(curves, perLine(columns, digits)).map((part) => block(line(title), part, digits, style)),
    );
    const parts = [
      ...(gates.length > 0 ? [gateText(gates, columns, style)] : []),
      heading(report, style, line),
      ...blocks,
      ...(audit.length > 0 ? [auditText(audit, columns, style)] : []),
      footing(report, dir, style, line),
    ];
    print(`${parts.join('\n\n')}\n`);
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

/** Columns of `0.913 [0.897, 0.925]`. */
const cellWidth = (digits: number) => 3 * (digits + 2) + 5;

/** Subjects that fit beside eps, two spaces apart. */
function perLine(columns: number, digits: number): number {
  return Math.max(1, Math.floor((columns - 6) / (cellWidth(digits) + 2)));
}

/** One line of plain text: names come from files and configurations, and may hold anything. */
function fit(text: string, width: number): string {
  const characters = [...stripVTControlCharacters(text).replace(/\p{Cc}/gu, '?')];
  return characters.length <= width ? characters.join('') : `${characters.slice(0, width - 1).join('')}…`;
}

type Line = (text: string) => string;

function heading(
  { status, engine, dataset, subjects, seed }: Report,
  style: ChalkInstance,
  line: Line,
): string {
  const [height, width, channels] = dataset.size;
  const size = `${height} x ${width}${channels === 1 ? '' : ` x ${channels}`}`;
  const ofModels = subjects.flatMap(({ name, notes = [] }) => notes.map((note) => `${name}: ${note}`));
  const lines = [
    style.bold(line(`${dataset.name}: ${dataset.images} images of ${size}`)),
    line(`${engine.backend} ${engine.version} on ${engine.device}, seed ${seed}`),
    ...[...dataset.notes, ...ofModels].map((note) => style.yellow(line(`note: ${note}`))),
  ];
  if (status === 'interrupted')
    lines.push(style.yellow('interrupted: only the images finished so far are counted'));
  return lines.join('\n');
}

function block(title: string, curves: readonly Curve[], digits: number, style: ChalkInstance): string {
  const table = new Table({
    head: ['eps', ...curves.map(({ subject }) => fit(subject, cellWidth(digits)))],
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
  return `${style.bold(title)}\n${style.dim('mean over images [95 % interval]')}\n${table.toString()}`;
}

function cell(point: Point | undefined, digits: number): string {
  if (!point) return '';
  const show = (value: number | null) => (value === null ? 'n/a' : value.toFixed(digits));
  const missing = point.undefined > 0 ? ` !${point.undefined}` : '';
  return `${show(point.mean)} [${show(point.low)}, ${show(point.high)}]${missing}`;
}

function footing({ cost, curves, subjects }: Report, dir: string, style: ChalkInstance, line: Line): string {
  const count = (value: number) => value.toLocaleString('en-US');
  const incomplete = curves.some(({ points }) => points.some((point) => point.undefined > 0));
  const lines = [
    ...(incomplete ? ['!n: the metric is undefined for n images, which the mean leaves out'] : []),
    `${count(cost.gradients)} gradients and ${count(cost.forwards)} forward passes in ${cost.seconds.toFixed(1)} s`,
    ...subjects.map(({ name, fingerprint, parameters }) => {
      const size = parameters === null ? '' : `, ${count(parameters)} parameters`;
      return line(`${name}: ${fingerprint.slice(0, 12)}${size}`);
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
