import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import type { Writable } from 'node:stream';
import { Command, Option } from 'commander';
import { RobustError } from '../../errors/index.ts';
import { fromFiles } from '../files.ts';
import { INTERRUPTED } from '../interrupt.ts';
import { makeLogger, type Io } from '../io.ts';
import type { Finish } from '../main.ts';
import { collect } from '../settings.ts';
import { problemOfModel, systems, usual, type Answers } from './answers.ts';
import { ask, GaveUp } from './ask.ts';
import { ciFiles, configTemplate, type Tested } from './templates.ts';

type InitSettings = Partial<Answers> & {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
};

/** `robust init`: a configuration with gates, and the file that lets a CI system run it. */
export function initCommand(io: Io, finish: Finish): Command {
  return new Command('init')
    .description('write a configuration with gates, and the file of a CI system that runs it')
    .option(
      '--model <file>',
      'the model to test (repeatable); without one a study on generated images',
      collect,
    )
    .option('--images <pattern>', "its test images, such as 'img/*.png'")
    .option('--masks <pattern>', "their masks, such as 'mask/*.png'")
    .addOption(new Option('--ci <system>', 'where gates run').choices(systems))
    .option('-y, --yes', 'ask nothing: what is not given is as usual')
    .option('--force', 'overwrite files that exist')
    .option('--json', 'print the names of the files as JSON')
    .action((settings: InitSettings) => finish(init(io, settings)));
}

async function init(io: Io, settings: InitSettings): Promise<number> {
  try {
    const answers = settings.yes ? { ...usual, ...settings } : await askPerson(io, settings);
    const files = await filesFor(answers, io);
    write(files, io.cwd, settings.force);
    const names = files.map(([name]) => name);
    io.stdout.write(settings.json ? `${JSON.stringify({ files: names })}\n` : `${names.join('\n')}\n`);
    makeLogger(io).info('next: npx robust plan shows what will be run, npx robust run runs it');
    return 0;
  } catch (error) {
    if (error instanceof GaveUp) return INTERRUPTED;
    throw error;
  }
}

async function askPerson({ cwd, stdin, stderr }: Io, settings: InitSettings): Promise<Answers> {
  if (stdin?.isTTY) return ask(settings, cwd, { input: stdin, output: stderr as Writable });
  throw new RobustError('USAGE', {
    message: 'There is no terminal to ask questions at.',
    where: 'init',
    next: 'give --yes, and what differs from the usual: --model, --images, --masks, --ci',
  });
}

/** Names and texts of the files that the answers make. */
async function filesFor(answers: Answers, io: Io): Promise<(readonly [name: string, text: string])[]> {
  const { model, images, masks, ci } = answers;
  for (const file of model) {
    const problem = problemOfModel(file, io.cwd);
    if (problem !== undefined)
      throw new RobustError('USAGE', {
        message: `This model cannot be tested: ${problem}.`,
        where: `--model ${file}`,
      });
  }
  if (model.length > 0 !== (images !== undefined || masks !== undefined)) {
    throw new RobustError('USAGE', {
      message: 'A model and its test images belong together.',
      where: model.length > 0 ? '--images, --masks' : '--model',
      expected: "--model model.onnx --images 'img/*.png' --masks 'mask/*.png'",
    });
  }
  const tested = (await fromFiles(io, undefined, answers)) as Tested | undefined;
  const config = configTemplate(portable(tested, io.cwd), answers);
  return [['robust.config.ts', config], ...(ci === 'none' ? [] : [ciFiles[ci]])];
}

/** The same with every absolute path relative to the configuration. */
function portable<T>(value: T, cwd: string): T {
  const shorten = (_key: string, item: unknown) =>
    typeof item === 'string' && isAbsolute(item) ? `./${relative(cwd, item)}` : item;
  return value === undefined ? value : (JSON.parse(JSON.stringify(value, shorten)) as T);
}

/** All files or none. */
function write(files: readonly (readonly [string, string])[], cwd: string, force = false): void {
  const taken = [
    // Whatever its ending: two configurations would be one too many.
    ...readdirSync(cwd).filter((name) => name.startsWith('robust.config.')),
    ...files.map(([name]) => name).filter((name) => existsSync(join(cwd, name))),
  ];
  if (taken.length > 0 && !force) {
    throw new RobustError('FILE_EXISTS', {
      message: 'This file exists already; nothing was written.',
      where: join(cwd, taken[0]!),
      next: 'keep it, or overwrite it with --force',
    });
  }
  for (const [name, text] of files) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
}
