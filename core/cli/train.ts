import { Command } from 'commander';
import { RobustError, suggestion } from '../errors/index.ts';
import type { SubjectSummary } from '../vocabulary.ts';
import { INTERRUPTED, interruptible } from './interrupt.ts';
import { makeLogger, type Io, type Talk } from './io.ts';
import type { Finish } from './main.ts';
import { makeRunner } from './run.ts';
import { loadSettings, withSettings, type Settings } from './settings.ts';
import { table } from './table.ts';

type TrainSettings = Settings & Talk & { readonly only?: string };

/** `robust train`: train what has no weights yet. */
export function trainCommand(io: Io, finish: Finish): Command {
  return withSettings(new Command('train'))
    .description('train the subjects of a configuration and store their weights')
    .option('--only <subject>', 'train this subject alone')
    .option('--json', 'print JSON')
    .option('--verbose', 'say more')
    .option('--quiet', 'say nothing but warnings')
    .action((target: string | undefined, settings: TrainSettings) => finish(train(io, target, settings)));
}

async function train(io: Io, target: string | undefined, settings: TrainSettings): Promise<number> {
  const config = await loadSettings(io, target, settings);
  checkSubject(settings.only, Object.keys(config.value.subjects));
  return interruptible(makeLogger(io, settings), async (signal) => {
    const subjects = await makeRunner(io, settings, signal).train(config, settings.only);
    io.stdout.write(settings.json ? `${JSON.stringify(subjects)}\n` : `${asText(subjects)}\n`);
    return signal.aborted ? INTERRUPTED : 0;
  });
}

function checkSubject(only: string | undefined, names: readonly string[]): void {
  if (only === undefined || names.includes(only)) return;
  throw new RobustError('USAGE', {
    message: `There is no subject '${only}'.`,
    where: '--only',
    next: suggestion(only, names),
  });
}

function asText(subjects: readonly SubjectSummary[]): string {
  const rows = subjects.map(({ name, model, defenses, parameters, fingerprint }) => [
    name,
    [model, ...defenses].join(' + '),
    parameters === null ? '-' : String(parameters),
    fingerprint,
  ]);
  return table(['subject', 'model', 'parameters', 'fingerprint'], rows, [2]);
}
