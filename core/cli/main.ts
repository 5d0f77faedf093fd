import { Command } from 'commander';
import { backendCommand } from './backend.ts';
import { datasetCommand } from './dataset.ts';
import { doctorCommand } from './doctor.ts';
import { compareCommand } from './compare.ts';
import { showFailure } from './failure.ts';
import { colours, type Io } from './io.ts';
import { gateCommand } from './gate.ts';
import { initCommand } from './init/index.ts';
import { inspectCommand } from './inspect.ts';
import { listCommand } from './list.ts';
import { newCommand } from './new.ts';
import { version } from './paths.ts';
import { planCommand } from './plan.ts';
import { reportCommand } from './report.ts';
import { runCommand } from './run.ts';
import { schemaCommand } from './schema.ts';
import { trainCommand } from './train.ts';

export { processIo, type Io, type Output } from './io.ts';

/** A command's work: its exit code. */
export type Finish = (work: Promise<number>) => Promise<void>;

/**
 * The `robust` program. Returns the exit code: 0 done, 1 a gate failed, 2 could not run (usage,
 * configuration, data) or judge, 3 inconclusive with `--strict`, 130 interrupted.
 *
 * @param argv arguments after the program's name
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const finish: Finish = async (work) => {
    code = await work;
  };
  try {
    await makeProgram(io, finish).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    return showFailure(error, io, argv.includes('--json'));
  }
  return code;
}

const commands = [
  runCommand,
  trainCommand,
  planCommand,
  gateCommand,
  reportCommand,
  compareCommand,
  listCommand,
  inspectCommand,
  datasetCommand,
  initCommand,
  newCommand,
  backendCommand,
  doctorCommand,
  schemaCommand,
];

function makeProgram(io: Io, finish: Finish): Command {
  const program = new Command('robust')
    .description('Measures how robust image-segmentation models are.')
    .version(version());
  for (const command of commands) program.addCommand(command(io, finish));
  const paint = colours(io.stdout, io.env);
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureHelp({ styleTitle: (title) => paint.bold(title) })
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        // Shown once, together with every other kind of failure.
        writeErr: () => undefined,
        getOutHelpWidth: () => io.stdout.columns ?? 80,
      });
  }
  return program;
}
