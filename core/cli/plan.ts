import { Command } from 'commander';
import type { LoadedConfig } from '../config/index.ts';
import { isPlugin } from '../plugin.ts';
import type { Plan } from '../plan/plan.ts';
import { interruptible } from './interrupt.ts';
import { makeLogger, type Io, type Talk } from './io.ts';
import type { Finish } from './main.ts';
import { makeRunner } from './run.ts';
import { loadSettings, withSettings, type Settings } from './settings.ts';
import { table } from './table.ts';

type PlanSettings = Settings & Talk & { readonly printConfig?: boolean };

/** `robust plan`: what a run would do. */
export function planCommand(io: Io, finish: Finish): Command {
  return withSettings(new Command('plan'))
    .description('show what a run would do, and what it would cost, without doing it')
    .option('--print-config', 'show each configured value and where it comes from instead')
    .option('--json', 'print JSON')
    .option('--verbose', 'say more')
    .action((target: string | undefined, settings: PlanSettings) => finish(plan(io, target, settings)));
}

async function plan(io: Io, target: string | undefined, settings: PlanSettings): Promise<number> {
  const config = await loadSettings(io, target, settings);
  if (settings.printConfig) {
    const { value, origins } = config;
    io.stdout.write(settings.json ? `${JSON.stringify({ value, origins })}\n` : configText(config));
    return 0;
  }
  return interruptible(makeLogger(io, settings), async (signal) => {
    const made = await makeRunner(io, settings, signal).plan(config);
    io.stdout.write(settings.json ? `${JSON.stringify(made)}\n` : planText(made));
    return 0;
  });
}

/** The first steps of a shared trajectory are those of the smaller budgets; what remains is a budget's own. */
function planText({ cells, gradients, images }: Plan): string {
  const head = ['cell', 'eps', 'alpha', 'N', 'shared', 'gradients per image'];
  const rows = cells.map(({ id, eps, stepSize, steps, shared, gradients: own }) =>
    [id, eps, stepSize, steps, shared, own].map((value) => (value === null ? '-' : String(value))),
  );
  const total = `${cells.length} cells, ${images} images, ${gradients ?? 'an unknown number of'} gradients`;
  return `${table(head, rows, [1, 2, 3, 4, 5])}\n\n${total}\n`;
}

/** Each leaf of the configuration with its origin; a list of scalars is one leaf. */
function configText({ value, origins }: LoadedConfig): string {
  const rows = Object.entries(origins).map(([path, origin]) => [path, show(at(value, path)), origin]);
  return `${table(['setting', 'value', 'from'], rows)}\n`;
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((found, key) => (found as Record<string, unknown>)[key], value);
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return isPlugin(value) ? `<${value.kind} ${value.name}>` : JSON.stringify(value);
}
