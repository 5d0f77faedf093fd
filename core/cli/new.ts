import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { RobustError } from '../errors/index.ts';
import { kinds, type Kind } from '../plugin.ts';
import { makeLogger, type Io } from './io.ts';
import { pluginKind } from './list.ts';
import type { Finish } from './main.ts';
import { pluginTemplate, testTemplate } from './templates.ts';

interface NewSettings {
  readonly dir: string;
  readonly json?: boolean;
}

/** `robust new`: a plugin to start from, and its test. */
export function newCommand(io: Io, finish: Finish): Command {
  return new Command('new')
    .description('write a plugin to start from, and its test')
    .argument('<kind>', kinds.join(', '))
    .argument('<name>', 'in kebab-case; also the name of the file')
    .option('--dir <dir>', 'where to write it, inside the working directory', '.')
    .option('--json', 'print the names of the files as JSON')
    .action((kind: string, name: string, settings: NewSettings) =>
      finish(Promise.resolve().then(() => writePlugin(io, pluginKind(kind), name, settings))),
    );
}

function writePlugin(io: Io, kind: Kind, name: string, { dir, json = false }: NewSettings): number {
  const folder = folderFor(io.cwd, name, dir);
  const texts = [
    [join(folder, `${name}.ts`), pluginTemplate(kind, name)],
    [join(folder, `${name}.test.ts`), testTemplate(kind, name)],
  ] as const;
  const existing = texts.map(([file]) => file).find((file) => existsSync(file));
  if (existing !== undefined) {
    throw new RobustError('FILE_EXISTS', {
      message: 'This file exists already; nothing was written.',
      where: existing,
      next: 'choose another name, or another folder with --dir',
    });
  }
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of texts) writeFileSync(file, text, { flag: 'wx' });
  const files = texts.map(([file]) => relative(io.cwd, file));
  io.stdout.write(json ? `${JSON.stringify({ files })}\n` : `${files.join('\n')}\n`);
  makeLogger(io).info(
    `use it in a configuration as './${files[0]}', and test it: npx vitest run ${files[1]}`,
  );
  return 0;
}

/** The folder to write to; USAGE when the name is no name, or the folder lies outside the working directory. */
function folderFor(cwd: string, name: string, dir: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new RobustError('USAGE', {
      message: 'This is not a name for a plugin.',
      where: 'name',
      expected: 'kebab-case, such as my-attack',
      received: name,
    });
  }
  const folder = resolve(cwd, dir);
  const path = relative(cwd, folder);
  if (!path.startsWith('..') && !isAbsolute(path)) return folder;
  throw new RobustError('USAGE', {
    message: 'This folder lies outside the working directory.',
    where: '--dir',
    expected: `a folder inside ${cwd}`,
    received: dir,
  });
}
