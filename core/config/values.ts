import { isAbsolute, relative, resolve } from 'node:path';
import { RobustError } from '../errors/index.ts';
import type { Assignment } from './merge.ts';
import { isTree, mapLeaves } from './tree.ts';

/** Names after `ROBUST_` that are not settings. */
const reserved = new Set(['CACHE', 'PYTHON']);

/** A value as text: JSON where it is JSON, otherwise the text itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** `dataset.root=../data` as an assignment; USAGE when there is no path or no `=`. */
export function parseSet(text: string): Assignment {
  const at = text.indexOf('=');
  const keys = text.slice(0, Math.max(at, 0)).split('.');
  if (at < 0 || keys.some((key) => key === '' || key === '__proto__')) {
    throw new RobustError('USAGE', {
      message: 'This is not a setting.',
      where: `--set ${text}`,
      expected: 'PATH=VALUE, such as dataset.root=../data or attacks.0.stepSize=2',
      received: text,
    });
  }
  return { origin: '--set', keys, value: parseValue(text.slice(at + 1)) };
}

/**
 * The settings in the environment: `ROBUST_TRAINING__WEIGHT_DECAY=0` is `training.weightDecay`. A name that differs
 * from an existing key only in case, dashes and underscores means that key. Empty variables count as unset.
 */
export function fromEnvironment(env: NodeJS.ProcessEnv, base: unknown): Assignment[] {
  return Object.entries(env).flatMap(([origin, text]) => {
    const name = origin.startsWith('ROBUST_') ? origin.slice('ROBUST_'.length) : '';
    if (name === '' || !text || reserved.has(name)) return [];
    return [{ origin, keys: keysOf(name, base), value: parseValue(text) }];
  });
}

function keysOf(name: string, base: unknown): string[] {
  let at = base;
  return name.split('__').map((segment) => {
    const existing = isTree(at) ? Object.keys(at).find((key) => bare(key) === bare(segment)) : undefined;
    const key = existing ?? camelCase(segment);
    at = isTree(at) ? at[key] : Array.isArray(at) ? at[Number(key)] : undefined;
    return key;
  });
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[-_+]/g, '');
}

function camelCase(segment: string): string {
  return segment.toLowerCase().replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Makes text that starts with `./` or `../` relative to the folder `to` instead of `from`. */
export function rebase(value: unknown, from: string, to: string): unknown {
  if (from === to) return value;
  return mapLeaves(value, (leaf) =>
    typeof leaf === 'string' && /^\.\.?([/\\]|$)/.test(leaf) ? resolve(from, leaf) : leaf,
  );
}

/** A file's name for people: relative to the working directory unless that is longer. */
export function shown(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short === '' || isAbsolute(short) || short.length > file.length ? file : short;
}
