import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { cosmiconfig, defaultLoaders, type Loader } from 'cosmiconfig';
import { RobustError } from '../errors/index.ts';
import { importDefault } from './module.ts';
import { isTree, type Tree } from './tree.ts';

/** A configuration file and what it exports. */
export interface ConfigFile {
  readonly file: string;
  readonly value: Tree;
}

const scripts = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const data = ['.json', '.yaml', '.yml'];

/** Where a configuration is looked for, in order of preference. */
const searchPlaces = [
  ...[...scripts, ...data].map((extension) => `robust.config${extension}`),
  '.robustrc',
  ...[...data, ...scripts].map((extension) => `.robustrc${extension}`),
  'package.json',
];

/** Finds and reads configuration files; upwards as far as the folder of the nearest package.json. */
export const explorer = cosmiconfig('robust', {
  searchPlaces,
  searchStrategy: 'project',
  cache: false,
  loaders: {
    ...Object.fromEntries(scripts.map((extension) => [extension, telling(importConfig)])),
    ...Object.fromEntries(
      data.map((extension) => [extension, telling(defaultLoaders[extension as '.json'])]),
    ),
    noExt: telling(defaultLoaders.noExt),
  },
});

/**
 * Reads one configuration file.
 *
 * @throws CONFIG_NOT_FOUND, CONFIG_THREW with the original cause, CONFIG_NOT_OBJECT.
 */
export async function readConfig(path: string, cwd: string): Promise<ConfigFile> {
  const file = resolve(cwd, path);
  if (!existsSync(file)) {
    throw new RobustError('CONFIG_NOT_FOUND', {
      message: 'This configuration file does not exist.',
      where: file,
      next: 'give an existing file, or a preset such as preset:quickstart',
    });
  }
  const found = await explorer.load(file);
  return asConfig(file, found?.config);
}

/** Checks that a configuration is an object; CONFIG_NOT_OBJECT otherwise. */
export function asConfig(file: string, value: unknown): ConfigFile {
  if (isTree(value)) return { file, value };
  throw new RobustError('CONFIG_NOT_OBJECT', {
    message: 'A configuration must be an object.',
    where: file,
    expected:
      "an object as default export, such as export default { dataset: 'chest-phantom', subjects: { ... } }",
    received:
      value === null || value === undefined
        ? 'nothing'
        : Array.isArray(value)
          ? 'a list'
          : `a ${typeof value}`,
  });
}

function importConfig(file: string): Promise<unknown> {
  return importDefault(file, dirname(file));
}

function telling(load: Loader): Loader {
  return async (file, content) => {
    try {
      return (await load(file, content)) as unknown;
    } catch (cause) {
      throw new RobustError('CONFIG_THREW', {
        message: `The configuration file could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
        where: file,
        next: 'mend the error that the file throws',
        cause,
      });
    }
  };
}
