import type { ChalkInstance } from 'chalk';
import { short, type Curve, type Point } from '../../../core/index.ts';
import { bar, scaleOf, spark, spread, table } from './draw.ts';
import { halvings, levelName, levelsOf } from './levels.ts';

/** How things are shown. */
export interface Look {
  readonly columns: number;
  readonly digits: number;
  /** Every eps instead of one for each halving. */
  readonly all: boolean;
  readonly style: ChalkInstance;
}

/** Longest name of a subject, and least and greatest width of a bar. */
const NAME = 20;
const BAR = [6, 24] as const;

/** Curves of one metric under one attack: eps downwards, subjects beside each other, with bars where there is room. */
export function curveBlock(curves: readonly Curve[], look: Look): string {
  const { metric, attack } = curves[0]!;
  const levels = levelsOf(curves);
  const shown = look.all || levels.length <= 8 ? levels : halvings(levels);
  const hidden = levels.length - shown.length;
  const more = hidden > 0 ? `; ${hidden} more eps are in report.json` : '';
  const title = look.style.bold(short(`${metric} under ${attack}`, look.columns));
  const key = look.style.dim(short(`mean over images [95 % interval]${more}`, look.columns));
  const parts = chunks(curves, look).map((part) => part.map((curve) => columnOf(curve, shown, look)));
  const blocks = parts.map((columns) => side(columns, shown, curves, look));
  return [title, key, ...blocks].join('\n');
}

interface Column {
  readonly name: string;
  readonly points: readonly (Point | undefined)[];
  readonly cells: readonly string[];
}

function columnOf({ subject, points }: Curve, levels: readonly number[], { digits }: Look): Column {
  const own = levels.map((eps) => points.find((point) => point.eps === eps));
  return { name: short(subject, NAME), points: own, cells: own.map((point) => cell(point, digits)) };
}

function side(
  columns: readonly Column[],
  levels: readonly number[],
  curves: readonly Curve[],
  look: Look,
): string {
  const scale = scaleOf(curves.flatMap(({ points }) => points.map(({ high }) => high)));
  const taken = columns.map(({ name, cells }) => Math.max(...[name, ...cells].map((text) => text.length)));
  const room = look.columns - 5 - taken.reduce((sum, width) => sum + width + 2, 0);
  const width = Math.min(BAR[1], Math.floor(room / columns.length) - 1);
  const drawn = ({ points, cells }: Column, row: number, taken: number) => {
    const { low = null, high = null } = points[row] ?? {};
    if (width < BAR[0] || low === null || high === null) return cells[row]!;
    return `${cells[row]!.padEnd(taken)} ${bar(low, high, scale, width)}`;
  };
  const rows = levels.map((eps, row) => [
    levelName(eps).padStart(5),
    ...columns.map((column, at) => drawn(column, row, taken[at]!)),
  ]);
  return table([['  eps', ...columns.map(({ name }) => name)], ...rows], columns.length + 1);
}

/** How many curves fit beside each other without bars. */
export function beside(curves: readonly Curve[], { columns, digits }: Look): number {
  const widths = curves.flatMap(({ points }) => points.map((point) => cell(point, digits).length));
  return Math.max(1, Math.floor((columns - 5) / (Math.max(NAME, ...widths) + 2)));
}

/** Curves in blocks of much the same size, none of them too wide. */
function chunks(curves: readonly Curve[], look: Look): Curve[][] {
  const blocks = Math.ceil(curves.length / beside(curves, look));
  const size = Math.ceil(curves.length / blocks);
  return Array.from({ length: blocks }, (_, i) => curves.slice(i * size, (i + 1) * size));
}

function cell(point: Point | undefined, digits: number): string {
  if (!point) return '';
  const show = (value: number | null) => (value === null ? 'n/a' : value.toFixed(digits));
  const missing = point.undefined > 0 ? ` !${point.undefined}` : '';
  return `${show(point.mean)} [${show(point.low)}, ${show(point.high)}]${missing}`;
}

/** One line for each curve: means at a few eps, and its course. */
export function courses(title: string, curves: readonly Curve[], look: Look): string {
  const levels = halvings(levelsOf(curves));
  const shown = [...new Set([levels[0]!, ...levels.slice(-3)])];
  const severalAttacks = new Set(curves.map(({ attack }) => attack)).size > 1;
  const rows = curves.map((curve, index) => {
    const { metric, subject, attack, points } = curve;
    const means = shown.map((eps) => points.find((point) => point.eps === eps)?.mean);
    return [
      curves[index - 1]?.metric === metric ? '' : short(metric, 18),
      short(severalAttacks ? `${subject}, ${attack}` : subject, 16),
      ...means.map((mean) => (mean === undefined ? '' : (mean?.toFixed(look.digits) ?? 'n/a'))),
    ];
  });
  const head = ['', '', ...shown.map(levelName)];
  const lines = table([head, ...rows], 2).split('\n');
  const width = Math.max(...lines.map((line) => line.length));
  const drawn = lines.map((line, index) => {
    const curve = curves[index - 1];
    const room = look.columns - width - 2;
    if (!curve || room < 4) return line;
    const means = curve.points.map(({ mean }) => mean);
    return `${line.padEnd(width)}  ${spark(spread(means, room), scaleOf(means))}`;
  });
  return `${look.style.bold(title)}\n${drawn.join('\n')}`;
}
