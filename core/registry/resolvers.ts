import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importer, importDefault } from '../config/module.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import type { HookPlugin, Plugin } from '../plugin.ts';
import { checkPlugin, type AnyKind, type AnyPlugin } from './check.ts';
import { moduleFiles } from './folder.ts';

/** A reference that is text and has to become a plugin. */
export interface Lookup {
  readonly kind: AnyKind;
  readonly reference: string;
  /** The folder that relative paths and packages are seen from. */
  readonly baseDir: string;
}

/**
 * Turns the text of a reference into a plugin; undefined means that it is not this resolver's business.
 *
 * @throws REFERENCE_FAILED with the cause when a module throws, PLUGIN_INVALID when what it exports is not such a plugin.
 */
export type Resolver = (lookup: Lookup) => Promise<Plugin | HookPlugin | undefined>;

/** Names such as `unet`: files of `folder/models/` and its siblings, imported when they are asked for. */
export function bundledResolver(folder: URL): Resolver {
  return async ({ kind, reference }) => {
    const file = (await moduleFiles(new URL(`${kind}s/`, folder))).get(reference);
    return file && loadBundled(kind, file);
  };
}

/** Imports one bundled plugin. */
export async function loadBundled<K extends AnyKind>(kind: K, file: URL): Promise<AnyPlugin<K>> {
  const path = fileURLToPath(file);
  const module = await attempt(path, () => import(file.href) as Promise<{ default: unknown }>);
  return checkPlugin(kind, module.default, path);
}

/** `./my-attack.ts`, `../my-attack.js` or an absolute path, seen from the configuration's folder. */
export async function fileResolver({ kind, reference, baseDir }: Lookup): ReturnType<Resolver> {
  if (!/^\.\.?[/\\]/.test(reference) && !isAbsolute(reference)) return undefined;
  const file = resolve(baseDir, reference);
  if (!existsSync(file)) {
    throw new RobustError('PLUGIN_UNKNOWN', {
      message: `There is no file '${reference}'.`,
      where: file,
      expected: `a file whose default export is ${kind === 'hooks' ? 'a hook plugin' : `a plugin of kind ${kind}`}`,
      ...(kind === 'hooks' ? {} : { next: `robust new ${kind} NAME writes one to start from` }),
    });
  }
  return checkPlugin(kind, await attempt(file, () => importDefault(file, baseDir)), file);
}

/**
 * `acme/pgd` or `@acme/attacks/pgd`: the plugin `pgd` of an installed package, whose default export is a plugin or a
 * list of plugins.
 */
export async function packageResolver({ kind, reference, baseDir }: Lookup): ReturnType<Resolver> {
  const [, name, plugin] = /^((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)\/([\w.-]+)$/.exec(reference) ?? [];
  if (name === undefined || plugin === undefined) return undefined;
  const entry = (await importer(baseDir)).esmResolve(name, { try: true });
  if (entry === undefined) return undefined;
  const exported = await attempt(name, () => importDefault(entry, baseDir));
  const plugins = [exported].flat().map((item) => checkPlugin<AnyKind>(undefined, item, name));
  const wanted = plugins.filter((item) => item.name === plugin);
  if (wanted.length > 0)
    return checkPlugin(kind, wanted.find((item) => item.kind === kind) ?? wanted[0], reference);
  throw new RobustError('PLUGIN_UNKNOWN', {
    message: `The package '${name}' has no plugin '${plugin}'.`,
    where: reference,
    next: suggestion(
      plugin,
      plugins.map((item) => item.name),
    ),
  });
}

async function attempt<T>(where: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof RobustError) throw cause;
    throw new RobustError('REFERENCE_FAILED', {
      message: `This plugin could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      where,
      next: 'mend the error that it throws while it is imported',
      cause,
    });
  }
}
