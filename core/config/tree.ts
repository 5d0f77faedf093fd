import { isPlugin } from '../plugin.ts';

/** A plain object of a configuration: neither a list nor a plugin. */
export type Tree = Record<string, unknown>;

/** Whether a value is an object whose keys are settings. */
export function isTree(value: unknown): value is Tree {
  if (typeof value !== 'object' || value === null || isPlugin(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A copy of lists and plain objects; plugins and everything else are shared. */
export function copy(value: unknown): unknown {
  return mapLeaves(value, (leaf) => leaf);
}

/** A copy in which every leaf is replaced. */
export function mapLeaves(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, change));
  if (!isTree(value)) return change(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, change)]));
}

/** Every leaf with its dotted path; an empty list or object is a leaf. */
export function leaves(value: unknown, path = ''): (readonly [path: string, leaf: unknown])[] {
  const entries = Array.isArray(value) || isTree(value) ? Object.entries(value) : [];
  if (entries.length === 0) return [[path, value]];
  return entries.flatMap(([key, item]) => leaves(item, join(path, key)));
}

/** The dotted path of a key below a path. */
export function join(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}

/** Freezes lists and plain objects all the way down; plugins are frozen already. */
export function deepFreeze<T>(value: T): T {
  if (!Array.isArray(value) && !isTree(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
