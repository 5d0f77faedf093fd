import { Command } from 'commander';
import { schema } from '../config/schema.ts';
import { gateExitCode } from '../gate/gate.ts';
import { Runner } from '../runner.ts';
import { INTERRUPTED, interruptible } from './interrupt.ts';
import { cacheFolder, makeLogger, screen, type Io, type Talk } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins } from './paths.ts';
import { makeProgress } from './progress.ts';
import { collect, loadSettings, withSettings, type Settings } from './settings.ts';

type RunSettings = Settings & Talk & { readonly strict?: boolean };

/** `robust run`: attack, measure, report. */
export function runCommand(io: Io, finish: Finish): Command {
  return withSettings(new Command('run'))
    .description('attack the subjects of a configuration and report how far their scores fall')
    .option('--reporter <name>', 'what shows the result (repeatable)', collect)
    .option('--baseline <file>', schema.properties.baseline.description)
    .option('--strict', 'exit with 3 when a gate is inconclusive')
    .option('--audit', 'run also the checks of the audit that take long (level full)')
    .option('--json', 'print the report as JSON')
    .option('--verbose', 'say more')
    .option('--quiet', 'say nothing but warnings and the result')
    .action((target: string | undefined, settings: RunSettings) => finish(run(io, target, settings)));
}

async function run(io: Io, target: string | undefined, settings: RunSettings): Promise<number> {
  const config = await loadSettings(io, target, settings);
  return interruptible(makeLogger(io, settings), async (signal) => {
    const report = await makeRunner(io, settings, signal).run(config, screen(io, settings.json === true));
    if (settings.json) io.stdout.write(`${JSON.stringify(report)}\n`);
    return report.status === 'interrupted' ? INTERRUPTED : gateExitCode(report.gates ?? [], settings.strict);
  });
}

/** A runner that talks and shows its progress on standard error. */
export function makeRunner(io: Io, talk: Talk, signal: AbortSignal): Runner {
  const { cwd, env, stderr } = io;
  const runner = new Runner({
    cwd,
    bundledPlugins,
    log: makeLogger(io, talk),
    signal,
    cacheDir: cacheFolder(env),
  });
  return talk.quiet ? runner : runner.use(makeProgress(stderr));
}
