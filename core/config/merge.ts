import { RobustError } from '../errors/index.ts';
import { isPlugin } from '../plugin.ts';
import { copy, isTree, join, leaves, type Tree } from './tree.ts';

/** What one place says about the configuration. */
export interface Layer {
  readonly origin: string;
  /** The folder that its relative paths refer to. */
  readonly dir: string;
  readonly value: Tree;
  /** What a person can do when the data set that it names is not there. */
  readonly withoutData?: string;
}

/** One value at one dotted path, as the environment and the command line give them. */
export interface Assignment {
  readonly origin: string;
  readonly keys: readonly string[];
  readonly value: unknown;
}

/** A configuration in the making, and where each of its leaves came from. */
export class Merger {
  value: unknown = {};
  readonly #origins = new Map<string, string>();

  /** Objects merge; lists, and references to another plugin, replace what was there. */
  add(layer: Layer): void {
    this.value = this.#merge(this.value, layer.value, '', layer.origin);
  }

  /** Sets one value: an item of a list is named by its position. */
  assign({ keys, value, origin }: Assignment): void {
    this.value = this.#place(this.value, keys, value, '', origin);
  }

  /** Dotted path of each leaf to its origin; a list of scalars from one place is one leaf. */
  origins(): Record<string, string> {
    return Object.fromEntries(this.#originsOf(this.value, ''));
  }

  #merge(base: unknown, over: unknown, path: string, origin: string): unknown {
    if (isTree(over)) {
      const result = this.#open(base, over, path);
      if (result) {
        for (const [key, item] of Object.entries(over)) {
          result[key] = this.#merge(result[key], item, join(path, key), origin);
        }
        return result;
      }
    }
    if (isTree(base) && base['use'] !== undefined && base['use'] === over) return base;
    this.#forget(path);
    for (const [leaf] of leaves(over, path)) this.#origins.set(leaf, origin);
    return copy(over);
  }

  /** The object that `over` merges into, or undefined where it replaces the base. */
  #open(base: unknown, over: Tree, path: string): Tree | undefined {
    if (typeof base === 'string' || isPlugin(base)) {
      if ('use' in over && over['use'] !== base) return undefined;
      const origin = this.#origins.get(path) ?? '';
      this.#forget(path);
      this.#origins.set(join(path, 'use'), origin);
      return { use: base };
    }
    if (!isTree(base)) return undefined;
    if (base['use'] !== undefined && over['use'] !== undefined && base['use'] !== over['use'])
      return undefined;
    this.#origins.delete(path);
    return { ...base };
  }

  #place(base: unknown, keys: readonly string[], value: unknown, path: string, origin: string): unknown {
    const [key, ...rest] = keys;
    if (key === undefined) return this.#merge(base, value, path, origin);
    if (Array.isArray(base)) return this.#placeItem(base, key, rest, value, path, origin);
    const result = this.#open(base, {}, path) ?? {};
    if (!isTree(base) && !('use' in result)) this.#forget(path);
    result[key] = this.#place(result[key], rest, value, join(path, key), origin);
    return result;
  }

  #placeItem(
    base: readonly unknown[],
    key: string,
    rest: readonly string[],
    value: unknown,
    path: string,
    origin: string,
  ): unknown[] {
    const index = /^\d+$/.test(key) ? Number(key) : NaN;
    if (!(index <= base.length)) {
      throw new RobustError('CONFIG_INVALID', {
        message: `'${path}' is a list, and '${key}' names no item of it.`,
        where: `${join(path, key)} (${origin})`,
        expected: `a position from 0 to ${base.length}, where ${base.length} appends`,
        received: key,
      });
    }
    const result = [...base];
    if (base.length === 0) this.#forget(path);
    result[index] = this.#place(base[index], rest, value, join(path, index), origin);
    return result;
  }

  #forget(path: string): void {
    for (const known of this.#origins.keys()) {
      if (path === '' || known === path || known.startsWith(`${path}.`)) this.#origins.delete(known);
    }
  }

  #originsOf(value: unknown, path: string): [string, string][] {
    const own = this.#origins.get(path);
    if (own !== undefined) return [[path, own]];
    const entries = Array.isArray(value) || isTree(value) ? Object.entries(value) : [];
    const found = entries.flatMap(([key, item]) => this.#originsOf(item, join(path, key)));
    const first = found[0]?.[1];
    const scalars = Array.isArray(value) && value.every((item) => !isTree(item) && !Array.isArray(item));
    return scalars && first !== undefined && found.every(([, origin]) => origin === first)
      ? [[path, first]]
      : found;
  }
}
