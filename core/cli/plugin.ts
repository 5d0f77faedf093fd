import { Merger } from '../config/merge.ts';
import type { Tree } from '../config/tree.ts';
import type { Reference, Resolved } from '../config/types.ts';
import { parseSet } from '../config/values.ts';
import { tensorflow } from '../engine.ts';
import type { Kind } from '../plugin.ts';
import { makeRandom } from '../random.ts';
import { Registry } from '../registry/index.ts';
import type { Context } from '../vocabulary.ts';
import { cacheFolder, makeLogger, type Io } from './io.ts';
import { bundledPlugins } from './paths.ts';

/** The plugin that a command names, with options as `--set option=value` gives them on top of others. */
export function openPlugin<K extends Kind>(
  io: Io,
  kind: K,
  use: string,
  set: readonly string[] = [],
  options: Tree = {},
): Promise<Resolved<K>> {
  const merger = new Merger();
  merger.add({ origin: 'command line', dir: io.cwd, value: { use, ...options } });
  for (const text of set) merger.assign(parseSet(text));
  return new Registry({ bundledPlugins, baseDir: io.cwd }).open(kind, merger.value as Reference<K>, {
    path: kind,
    origins: merger.origins(),
  });
}

/** The context of a command that works without a configuration. */
export function contextOf(io: Io, signal: AbortSignal): Context {
  return {
    tf: tensorflow,
    log: makeLogger(io),
    signal,
    cacheDir: cacheFolder(io.env),
    baseDir: io.cwd,
    random: makeRandom(1),
  };
}
