import type { Tree } from '../config/tree.ts';
import type { Reference, Resolved } from '../config/types.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import { isPlugin, kinds, type HookPlugin, type Kind, type Plugin, type PluginOf } from '../plugin.ts';
import { checkPlugin, type AnyKind } from './check.ts';
import { moduleFiles } from './folder.ts';
import { resolveOptions } from './options.ts';
import { bundledResolver, fileResolver, loadBundled, packageResolver, type Resolver } from './resolvers.ts';

/** What a registry needs. */
export interface RegistryOptions {
  /** The folder with `attacks/`, `models/` and so on, with a slash at its end. */
  readonly bundledPlugins: URL;
  /** The folder that files and packages are seen from, unless a call says otherwise. */
  readonly baseDir: string;
  /** Replaces the search by bundled name, file and package. */
  readonly find?: Resolver;
}

/** Finds plugins by reference: a bundled name, a package's plugin, a file, or the plugin itself. */
export class Registry {
  readonly #folder: URL;
  readonly #baseDir: string;
  readonly #find: Resolver;

  constructor({ bundledPlugins, baseDir, find }: RegistryOptions) {
    this.#folder = bundledPlugins;
    this.#baseDir = baseDir;
    this.#find = find ?? firstOf([bundledResolver(bundledPlugins), fileResolver, packageResolver]);
  }

  /**
   * The plugin of a reference.
   *
   * @throws PLUGIN_UNKNOWN with the nearest name, PLUGIN_INVALID, REFERENCE_FAILED with the cause.
   */
  async resolve<K extends Kind>(
    kind: K,
    reference: Reference<K>,
    baseDir = this.#baseDir,
  ): Promise<PluginOf[K]> {
    const { use } = split(reference);
    if (typeof use !== 'string') return checkPlugin(kind, use, `${kind} given in place`);
    const found = await this.#find({ kind, reference: use, baseDir });
    if (found) return checkPlugin(kind, found, use);
    throw unknown(kind, use, await this.names(kind));
  }

  /** The plugin of a reference with its options: see {@link resolve} and {@link resolveOptions}. */
  async open<K extends Kind>(
    kind: K,
    reference: Reference<K>,
    place: { path: string; origins?: Readonly<Record<string, string>>; baseDir?: string },
  ): Promise<Resolved<K>> {
    const plugin = await this.resolve(kind, reference, place.baseDir);
    return { plugin, options: resolveOptions(plugin, split(reference).options, place.path, place.origins) };
  }

  /** A hook plugin: given in place, a file, or a package's plugin. */
  async hookPlugin(reference: string | HookPlugin, baseDir = this.#baseDir): Promise<HookPlugin> {
    if (typeof reference !== 'string') return checkPlugin('hooks', reference, 'plugins');
    const found = await this.#find({ kind: 'hooks', reference, baseDir });
    if (!found) throw unknown('hooks', reference, []);
    return checkPlugin('hooks', found, reference);
  }

  /** Names of the bundled plugins of a kind. */
  async names(kind: Kind): Promise<string[]> {
    return [...(await moduleFiles(new URL(`${kind}s/`, this.#folder))).keys()];
  }

  /** All bundled plugins, of one kind or of every kind. */
  async list(kind?: Kind): Promise<Plugin[]> {
    const lists = (kind === undefined ? kinds : [kind]).map(async (each) => {
      const files = await moduleFiles(new URL(`${each}s/`, this.#folder));
      return Promise.all([...files.values()].map((file) => loadBundled(each, file)));
    });
    return (await Promise.all(lists)).flat();
  }
}

/** The parts of a reference: what it names, and the options beside it. */
export function split<K extends Kind>(reference: Reference<K>): { use: string | PluginOf[K]; options: Tree } {
  if (typeof reference === 'string' || isPlugin(reference))
    return { use: reference as string | PluginOf[K], options: {} };
  const { use, ...options } = reference as { readonly use: string | PluginOf[K] };
  return { use, options };
}

function firstOf(resolvers: readonly Resolver[]): Resolver {
  return async (lookup) => {
    for (const resolver of resolvers) {
      const found = await resolver(lookup);
      if (found) return found;
    }
    return undefined;
  };
}

function unknown(kind: AnyKind, reference: string, names: readonly string[]): RobustError {
  const word = kind === 'hooks' ? 'hook plugin' : kind;
  const [, name] = /^((?:@[^/]+\/)?[^/]+)\/[^/]+$/.exec(reference) ?? [];
  return new RobustError('PLUGIN_UNKNOWN', {
    message: `There is no ${word} '${reference}'.`,
    where: reference,
    expected: 'a bundled name, PACKAGE/NAME of an installed package, a file that starts with ./, or a plugin',
    next: name === undefined ? suggestion(reference, names) : `install the package: npm install ${name}`,
  });
}
