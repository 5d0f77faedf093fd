import { isAbsolute, resolve } from 'node:path';
import { openTarget } from './layers.ts';
import { Merger } from './merge.ts';
import { defaultsOf, schema } from './schema.ts';
import { deepFreeze, isTree, type Tree } from './tree.ts';
import type { CompleteConfig, Config, LoadedConfig } from './types.ts';
import { validateConfig } from './validate.ts';
import { fromEnvironment, parseSet, rebase } from './values.ts';

export { parseEps } from './eps.ts';
export type * from './types.ts';

/** What `loadConfig` puts together. */
export interface ConfigRequest {
  /** The working directory. */
  readonly cwd: string;
  /** The folder of presets, with a slash at its end. */
  readonly presets: URL;
  /** `preset:NAME`, a file, or the configuration itself; without it one is searched for. */
  readonly target?: string | Config | undefined;
  /** `PATH=VALUE` texts of `--set`. */
  readonly set?: readonly string[];
  /** Settings that have a flag of their own, such as `--seed`. */
  readonly flags?: Config;
  readonly env?: NodeJS.ProcessEnv;
  /** What a run needs may be absent. */
  readonly partial?: boolean;
}

/** Gives a configuration file its types. */
export function defineConfig(config: Config): Config {
  return config;
}

/**
 * Puts a configuration together: defaults, presets, file, environment, command line, the later ones winning; then
 * checks and freezes it.
 *
 * @throws CONFIG_NOT_FOUND, CONFIG_THREW, CONFIG_NOT_OBJECT, CONFIG_CYCLE, PRESET_UNKNOWN, USAGE, CONFIG_INVALID.
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const { cwd, target, set = [], flags = {}, env = {}, partial = false } = request;
  const layers = await openTarget(target, request, flags.variants);
  const baseDir = layers.at(-1)?.dir ?? cwd;
  const here = (value: unknown) => rebase(value, cwd, baseDir);
  const merger = new Merger();
  merger.add({ origin: 'default', dir: baseDir, value: defaultsOf(schema.properties) });
  for (const layer of layers)
    merger.add({ ...layer, value: rebase(layer.value, layer.dir, baseDir) as Tree });
  const texts = [...fromEnvironment(env, merger.value), ...set.map(parseSet)];
  for (const text of texts) merger.assign({ ...text, value: here(text.value) });
  for (const [key, value] of Object.entries(flags)) {
    if (value !== undefined)
      merger.assign({
        origin: flagOf(key),
        keys: [key],
        value: here(fromFlag(key, value, request, baseDir)),
      });
  }
  const withoutData = layers.findLast(({ value }) => 'dataset' in value)?.withoutData;
  return finish(merger, { baseDir, ...(withoutData !== undefined && { withoutData }) }, partial);
}

function finish(
  merger: Merger,
  rest: Omit<LoadedConfig, 'value' | 'origins'>,
  partial: boolean,
): LoadedConfig {
  const value = withoutRemoved(merger.value as Tree);
  const known = merger.origins();
  const origins = Object.fromEntries(Object.entries(known).filter(([path]) => !isRemoved(path, value)));
  validateConfig(value, origins, partial);
  return deepFreeze({ value: value as unknown as CompleteConfig, origins, ...rest });
}

/** A subject that is null was brought by a preset and is not wanted. */
function withoutRemoved(value: Tree): Tree {
  const subjects = value['subjects'];
  if (!isTree(subjects)) return value;
  return {
    ...value,
    subjects: Object.fromEntries(Object.entries(subjects).filter(([, item]) => item !== null)),
  };
}

function isRemoved(path: string, value: Tree): boolean {
  const [first, name] = path.split('.');
  return (
    first === 'subjects' && name !== undefined && isTree(value['subjects']) && !(name in value['subjects'])
  );
}

const flagNames: Readonly<Record<string, string>> = { share: '--no-share', reporters: '--reporter' };

function flagOf(key: string): string {
  return flagNames[key] ?? `--${key}`;
}

function fromFlag(key: string, value: unknown, { cwd }: ConfigRequest, baseDir: string): unknown {
  const isPath = key === 'output' || key === 'baseline';
  const moved = isPath && typeof value === 'string' && !isAbsolute(value) && cwd !== baseDir;
  return moved ? resolve(cwd, value) : value;
}
