import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig, type Config, type LoadedConfig } from '../config/index.ts';
import { RobustError } from '../errors/index.ts';
import { applyGates, gateExitCode } from '../gate/gate.ts';
import { openGates } from '../gate/open.ts';
import { gateText, worstVerdict } from '../gate/text.ts';
import { readReport } from '../store/read-report.ts';
import type { Report } from '../vocabulary.ts';
import { colours, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { presets } from './paths.ts';

interface GateSettings {
  readonly config?: string;
  readonly baseline?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** `robust gate`: does a finished run keep the rules? */
export function gateCommand(io: Io, finish: Finish): Command {
  return new Command('gate')
    .description(
      'apply gates to a finished run: exit code 0 kept, 1 broken, 2 could not judge, 3 inconclusive',
    )
    .argument('<report>', 'report.json, or the run folder that holds it')
    .option('--config <file>', "take the gates of this configuration instead of the run's own")
    .option('--baseline <file>', 'report.json of the run that regression gates compare with')
    .option('--strict', 'exit with 3 when a gate is inconclusive')
    .option('--json', 'print the results as JSON')
    .action((report: string, settings: GateSettings) => finish(gate(io, report, settings)));
}

async function gate(io: Io, path: string, settings: GateSettings): Promise<number> {
  const report = await readReport(reportFile(path, io.cwd));
  const gates = await openGates(await configured(io, report, settings), io.cwd);
  if (gates.rules.length === 0) {
    throw new RobustError('GATES_MISSING', {
      message: 'There are no gates to apply.',
      where: settings.config ?? path,
      expected: "gates: ['dice >= 0.8 at eps 8'] in the configuration",
      next: 'write some, or name the file that holds them with --config FILE',
    });
  }
  const results = applyGates(report, gates.rules, gates.baseline);
  const code = gateExitCode(results, settings.strict);
  if (settings.json) {
    io.stdout.write(
      `${JSON.stringify({ verdict: worstVerdict(results), exitCode: code, gates: results })}\n`,
    );
    return code;
  }
  io.stdout.write(`${gateText(results, io.stdout.columns, colours(io.stdout, io.env))}\n`);
  return code;
}

/** The run's own rules come from its report; a baseline that it names is looked for from the working directory. */
async function configured({ cwd }: Io, report: Report, settings: GateSettings): Promise<LoadedConfig> {
  const { gates, baseline } = report.configuration as Config;
  const own = { ...(gates && { gates }), ...(baseline !== undefined && { baseline }) };
  const flags: Config = settings.baseline === undefined ? {} : { baseline: settings.baseline };
  const target = settings.config ?? own;
  const loaded = await loadConfig({ cwd, presets, target, flags, partial: true });
  return settings.config === undefined ? { ...loaded, origins: report.origins } : loaded;
}

/** A report, named by itself or by its run folder. */
export function reportFile(path: string, cwd: string): string {
  const file = resolve(cwd, path);
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ? join(file, 'report.json') : file;
}
