import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RobustError } from '../errors/index.ts';
import type { Sample } from '../vocabulary.ts';

/** Files by the id that their names carry. */
export type FilesById = ReadonlyMap<string, string>;

/** An image file and its mask. */
export interface Pair extends Omit<Sample, 'image' | 'mask'> {
  readonly image: string;
  readonly mask: string;
}

/** Images and masks that belong together, in natural order of their ids, and those that are alone. */
export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly withoutMask: readonly string[];
  readonly withoutImage: readonly string[];
}

/**
 * Finds files (or folders) below `root`: one regular expression per path segment, each matching the whole name; the id
 * is what the capture groups matched, joined by `_`. A folder that does not exist holds no files.
 * Errors: DATASET_INVALID where two files have one id.
 */
export async function findFiles(
  root: string,
  segments: readonly RegExp[],
  folders = false,
): Promise<FilesById> {
  const found = new Map<string, string>();
  for (const { path, captured, isFolder } of await walk(root, segments, [])) {
    if (isFolder !== folders) continue;
    const id = captured.join('_');
    if (found.has(id)) throw duplicate(id, found.get(id)!, path);
    found.set(id, path);
  }
  return found;
}

/** The segments of a pattern such as `images/*.png`, in which `*` stands for any text without a slash. */
export function patternSegments(pattern: string): RegExp[] {
  const escape = (text: string) => text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  const segments = pattern.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.map((segment) => new RegExp(`^${segment.split('*').map(escape).join('(.*)')}$`));
}

/** Joins images and masks of equal id. */
export function pairFiles(images: FilesById, masks: FilesById): Pairing {
  const ids = [...images.keys()].sort(naturalOrder);
  return {
    pairs: ids.flatMap((id) => {
      const mask = masks.get(id);
      return mask === undefined ? [] : [{ id, image: images.get(id)!, mask }];
    }),
    withoutMask: ids.filter((id) => !masks.has(id)),
    withoutImage: [...masks.keys()].filter((id) => !images.has(id)).sort(naturalOrder),
  };
}

/** The first few ids of a list, for messages. */
export function few(ids: readonly string[]): string {
  return `${ids.slice(0, 5).join(', ')}${ids.length > 5 ? `, and ${ids.length - 5} more` : ''}`;
}

function duplicate(id: string, first: string, second: string): RobustError {
  return new RobustError('DATASET_INVALID', {
    message: 'Two files of the data set have the same id.',
    where: second,
    expected: 'one file per id',
    received: `'${id}' is also ${first}`,
    next: 'rename or move one of the two files',
  });
}

const collator = new Intl.Collator('en', { numeric: true });

/** Numbers inside names by value (`a2` before `a10`); names that compare equal (`a2`, `a02`) by their characters. */
function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1);
}

interface Found {
  readonly path: string;
  readonly captured: readonly string[];
  readonly isFolder: boolean;
}

async function walk(dir: string, segments: readonly RegExp[], captured: readonly string[]): Promise<Found[]> {
  const [segment, ...rest] = segments;
  const entries = await readdir(dir, { withFileTypes: true }).catch(ignoreMissing);
  const nested = entries.map(async (entry) => {
    const match = segment?.exec(entry.name);
    if (!match) return [];
    const [path, isFolder] = [join(dir, entry.name), entry.isDirectory()];
    const found = { path, captured: [...captured, ...match.slice(1)], isFolder };
    return rest.length > 0 ? walk(path, rest, found.captured) : [found];
  });
  return (await Promise.all(nested)).flat();
}

function ignoreMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
