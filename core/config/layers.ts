import { dirname, isAbsolute, resolve } from 'node:path';
import { RobustError } from '../errors/index.ts';
import { readConfig } from './load.ts';
import type { Layer } from './merge.ts';
import { loadPreset } from './presets.ts';
import { searchConfig } from './search.ts';
import type { Tree } from './tree.ts';
import type { Config } from './types.ts';
import { shown } from './values.ts';

/** Where files and presets are looked for. */
export interface Places {
  readonly cwd: string;
  readonly presets: URL;
}

/** A target and what it builds on, the most basic first; the last layer's folder is the configuration's. */
export async function openTarget(target: string | Config | undefined, places: Places): Promise<Layer[]> {
  if (typeof target === 'object') {
    const given = { id: 'given', origin: 'given in place', dir: places.cwd, value: target as Tree };
    return expand(given, places, []);
  }
  if (target !== undefined) return expand(await open(target, places.cwd, places), places, []);
  const { file, value } = await searchConfig(places.cwd);
  return expand({ id: file, ...fromFile(file, value, places) }, places, []);
}

type Source = Layer & { readonly id: string };

async function open(reference: string, dir: string, places: Places): Promise<Source> {
  if (reference.startsWith('preset:')) {
    const { config } = await loadPreset(reference.slice('preset:'.length), places.presets);
    return { id: reference, origin: reference, dir: places.cwd, value: config as Tree };
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

async function expand(source: Source, places: Places, chain: readonly string[]): Promise<Layer[]> {
  if (chain.includes(source.id)) {
    throw new RobustError('CONFIG_CYCLE', {
      message: 'These configurations extend each other in a circle.',
      where: [...chain.slice(chain.indexOf(source.id)), source.id].join(' -> '),
      next: "remove one 'extends' of the circle",
    });
  }
  const { extends: parents = [], ...own } = source.value;
  const layers: Layer[] = [];
  for (const parent of parentsOf(parents, source.origin)) {
    layers.push(...(await expand(await open(parent, source.dir, places), places, [...chain, source.id])));
  }
  return [...layers, { origin: source.origin, dir: source.dir, value: own }];
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
