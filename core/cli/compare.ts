import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import {
  compareReports,
  type Change,
  type ComparedCell,
  type Lone,
  type RunComparison,
} from '../gate/compare.ts';
import { groupBy } from '../statistics/group.ts';
import { readReport } from '../store/read-report.ts';
import { short, wrap } from '../text.ts';
import { reportFile } from './gate.ts';
import { colours, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { table } from './table.ts';

/** `robust compare`: two runs side by side. */
export function compareCommand(io: Io, finish: Finish): Command {
  return new Command('compare')
    .description('compare two runs image by image: what was changed, and by how much each score differs')
    .argument('<before>', 'report.json of the first run, or its folder')
    .argument('<after>', 'report.json of the second run, or its folder')
    .option('--json', 'print the comparison as JSON')
    .action((before: string, after: string, { json = false }: { json?: boolean }) =>
      finish(compare(io, [before, after], json)),
    );
}

async function compare(io: Io, paths: readonly string[], json: boolean): Promise<number> {
  const [before, after] = await Promise.all(paths.map((path) => readReport(reportFile(path, io.cwd))));
  const found = compareReports(before!, after!);
  io.stdout.write(`${json ? JSON.stringify(found) : asText(found, colours(io.stdout, io.env))}\n`);
  return 0;
}

function asText({ onlyBefore, onlyAfter, changes, cells }: RunComparison, paint: ChalkInstance): string {
  const groups = groupBy(cells, ({ metric, subject }) => JSON.stringify([metric, subject]));
  const lone = [...loneText('before', onlyBefore), ...loneText('after', onlyAfter)];
  return [
    ...(lone.length > 0 ? [paint.yellow(lone.join('\n'))] : []),
    changes.length > 0 ? changesText(changes, paint) : 'what was run is the same',
    ...[...groups.values()].map((own) => cellsText(own, paint)),
    [
      'difference: after minus before, mean over images [95 % interval]',
      'p: signed-rank test, corrected over all cells of the metric; *: below 0.05',
      'n: images with a value in both runs, and of how many where some have none',
    ].join('\n'),
  ].join('\n\n');
}

/** How many names of what only one run holds are shown. */
const NAMES = 5;

function loneText(run: string, only: Lone): string[] {
  return Object.entries(only)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => {
      const rest = names.length > NAMES ? `, and ${names.length - NAMES} more` : '';
      const shown = names.slice(0, NAMES).map((name) => short(name, 40));
      return wrap(`only in the run ${run}: ${kind} ${shown.join(', ')}${rest}`, 80, '  ');
    });
}

function changesText(changes: readonly Change[], paint: ChalkInstance): string {
  const rows = changes.map(({ path, before, after }) => [
    short(path, 34),
    short(show(before), 21),
    short(show(after), 21),
  ]);
  return table(
    ['changed', 'before', 'after'].map((head) => paint.bold(head)),
    rows,
  );
}

function cellsText(cells: readonly ComparedCell[], paint: ChalkInstance): string {
  const { metric, subject } = cells[0]!;
  const rows = cells.map(({ attack, eps, before, after, difference, low, high, pHolm, n, ...rest }) => [
    attack,
    String(eps),
    digits(before),
    digits(after),
    `${digits(difference)} [${digits(low)}, ${digits(high)}]`,
    chance(pHolm),
    rest.undefined > 0 ? `${n}/${n + rest.undefined}` : String(n),
  ]);
  const head = ['attack', 'eps', 'before', 'after', 'difference', 'p', 'n'];
  const taken = head.map(
    (title, column) => 2 + Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const room = Math.max(8, 80 - taken.slice(1).reduce((sum, width) => sum + width, 0));
  const shown = rows.map(([name, ...values]) => [short(name!, room), ...values]);
  const lines = table(head, shown, [1, 2, 3, 4]).split('\n');
  return [paint.bold(short(`${metric} of ${subject}`, 80)), ...lines.map((line) => short(line, 80))].join(
    '\n',
  );
}

/** Five significant digits at most, and four decimals. */
function digits(value: number | null): string {
  if (value === null) return 'n/a';
  const whole = Math.max(0, Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.max(0, 4 - whole));
}

function chance(p: number | null): string {
  if (p === null) return 'n/a';
  return `${p < 0.001 ? '<0.001' : p.toFixed(3)}${p < 0.05 ? '*' : ''}`;
}

function show(value: unknown): string {
  if (value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
