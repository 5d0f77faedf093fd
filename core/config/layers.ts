import { dirname, isAbsolute, resolve } from 'node:path';
import { RobustError, suggestion } from '../errors/index.ts';
import { readConfig } from './load.ts';
import type { Layer } from './merge.ts';
import { loadPreset, type Variant } from './presets.ts';
import { searchConfig } from './search.ts';
import type { Tree } from './tree.ts';
import type { Config } from './types.ts';
import { shown } from './values.ts';

/** Where files and presets are looked for. */
export interface Places {
  readonly cwd: string;
  readonly presets: URL;
}

/**
 * A target and what it builds on, the most basic first; the last layer's folder is the configuration's.
 *
 * @param chosen Variants of presets to apply; without them those that the target itself names.
 * @throws USAGE when no preset has one of these variants.
 */
export async function openTarget(
  target: string | Config | undefined,
  places: Places,
  chosen?: readonly string[],
): Promise<Layer[]> {
  const source = await openSource(target, places);
  const sources = await expand(source, places, []);
  const wanted = chosen ?? (source.value['variants'] as string[] | undefined) ?? [];
  checkVariants(wanted, sources);
  return sources.flatMap((each) => [each, ...overlays(each, wanted)]);
}

async function openSource(target: string | Config | undefined, places: Places): Promise<Source> {
  if (typeof target === 'object')
    return { id: 'given', origin: 'given in place', dir: places.cwd, value: target as Tree };
  if (target !== undefined) return open(target, places.cwd, places);
  const { file, value } = await searchConfig(places.cwd);
  return { id: file, ...fromFile(file, value, places) };
}

type Source = Layer & { readonly id: string; readonly variants?: readonly Variant[] };

/** The changes that the wanted variants make to a preset. */
function overlays({ variants = [], origin, ...preset }: Source, wanted: readonly string[]): Layer[] {
  return variants
    .filter(({ when }) => when.every((name) => wanted.includes(name)))
    .map(({ when, config }) => ({
      ...preset,
      origin: `${origin} (${when.join(' + ')})`,
      value: config as Tree,
    }));
}

function checkVariants(wanted: readonly string[], sources: readonly Source[]): void {
  const known = [...new Set(sources.flatMap(({ variants = [] }) => variants.flatMap(({ when }) => when)))];
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new RobustError('USAGE', {
    message: `There is no variant '${unknown}' of this configuration.`,
    where: 'variants',
    expected: known.length > 0 ? `some of ${known.join(', ')}` : 'none: only presets can have variants',
    next: suggestion(unknown, known),
  });
}

async function open(reference: string, dir: string, places: Places): Promise<Source> {
  if (reference.startsWith('preset:')) {
    const { config, ...rest } = await loadPreset(reference.slice('preset:'.length), places.presets);
    return { ...rest, id: reference, origin: reference, dir: places.cwd, value: config as Tree };
  }
  const { file, value } = await readConfig(
    isAbsolute(reference) ? reference : resolve(dir, reference),
    places.cwd,
  );
  return { id: file, ...fromFile(file, value, places) };
}

function fromFile(file: string, value: Tree, { cwd }: Places): Layer {
  return { origin: shown(file, cwd), dir: dirname(file), value };
}

async function expand(source: Source, places: Places, chain: readonly string[]): Promise<Source[]> {
  if (chain.includes(source.id)) {
    throw new RobustError('CONFIG_CYCLE', {
      message: 'These configurations extend each other in a circle.',
      where: [...chain.slice(chain.indexOf(source.id)), source.id].join(' -> '),
      next: "remove one 'extends' of the circle",
    });
  }
  const { extends: parents = [], ...own } = source.value;
  const sources: Source[] = [];
  for (const parent of parentsOf(parents, source.origin)) {
    sources.push(...(await expand(await open(parent, source.dir, places), places, [...chain, source.id])));
  }
  return [...sources, { ...source, value: own }];
}

function parentsOf(parents: unknown, origin: string): string[] {
  const list: unknown[] = Array.isArray(parents) ? parents : [parents];
  if (list.every((parent) => typeof parent === 'string')) return list;
  throw new RobustError('CONFIG_INVALID', {
    message: "'extends' names presets or files.",
    where: `extends (${origin})`,
    expected: "text or a list of texts, such as 'preset:quickstart' or './base.ts'",
    received: JSON.stringify(parents),
  });
}
