import { dirname, join } from 'node:path';
import { Command } from 'commander';
import type { Config } from '../config/index.ts';
import type { Tree } from '../config/tree.ts';
import { writeAtomically } from '../store/output.ts';
import { readReport } from '../store/read-report.ts';
import type { Report } from '../vocabulary.ts';
import { reportFile } from './gate.ts';
import { screen, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { openPlugin } from './plugin.ts';
import { collect } from './settings.ts';

interface ReportSettings {
  readonly reporter?: readonly string[];
}

/** `robust report`: shows a finished run again, without a model or an image. */
export function reportCommand(io: Io, finish: Finish): Command {
  return new Command('report')
    .description('show a finished run again: its tables, or its report.html, junit.xml, figure')
    .argument('<report>', 'report.json, or the run folder that holds it')
    .option('--reporter <name>', 'what shows it (repeatable); terminal when absent', collect)
    .action((path: string, settings: ReportSettings) => finish(report(io, path, settings)));
}

/** Files are written beside report.json, where the pictures are. */
async function report(io: Io, path: string, { reporter = ['terminal'] }: ReportSettings): Promise<number> {
  const file = reportFile(path, io.cwd);
  const found = await readReport(file);
  const dir = dirname(file);
  const write = (name: string, content: string | Uint8Array) => writeAtomically(join(dir, name), content);
  const opened = await Promise.all(
    reporter.map((name) => openPlugin(io, 'reporter', name, [], configured(found, name))),
  );
  for (const { plugin, options } of opened)
    await plugin.report(found, options, { ...screen(io), dir, write });
  return 0;
}

/** The options that the run gave a reporter, such as the title of its figure. */
function configured({ configuration }: Report, name: string): Tree {
  const { reporters = [] } = configuration as Config;
  const own = reporters.find((one) => typeof one === 'object' && 'use' in one && one.use === name);
  return (own ?? {}) as Tree;
}
