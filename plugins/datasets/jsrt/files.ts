import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { RobustError } from '../../../core/index.ts';

/** One structure that a mask file outlines; `lungs` is a file that holds both. */
export type Outline = 'left-lung' | 'right-lung' | 'lungs' | 'heart' | 'left-clavicle' | 'right-clavicle';

/** What lies below a folder, by image name. */
export interface JsrtFiles {
  readonly images: ReadonlyMap<string, string>;
  readonly masks: ReadonlyMap<string, ReadonlyMap<Outline, string>>;
  /** Texts with findings, age and sex. */
  readonly clinical: readonly string[];
}

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i + 1).padStart(3, '0')}`);

/** The 154 films with a nodule and the 93 without. */
export const NAMES: readonly string[] = [...numbered('JPCLN', 154), ...numbered('JPCNN', 93)];

const OUTLINES: Readonly<Record<string, Outline>> = {
  'left-lung': 'left-lung',
  'right-lung': 'right-lung',
  heart: 'heart',
  'left-clavicle': 'left-clavicle',
  'right-clavicle': 'right-clavicle',
  ...{ lung: 'lungs', lungs: 'lungs', mask: 'lungs', masks: 'lungs', label: 'lungs', labels: 'lungs' },
};

const FILE = /^(JPC[LN]N\d{3})(?:\.IMG)?([-_ ]?(?:msk|mask|seg))?\.(img|png|gif|tiff?)$/i;
const CLINICAL = /^C[LN]NDAT_EN?\.txt$/i;

/** Levels of folders that are searched: the archives unpack to at most five. */
const DEPTH = 6;

/**
 * Finds images and masks by their names and the names of their folders, so that every known layout is read: the two
 * archives as they unpack, merged folds with underscores, and `JPCLN001msk.png` or `..._seg.png` beside the images.
 * Of several forms of one file the original is taken: raw before converted, GIF before PNG.
 */
export async function findJsrt(root: string): Promise<JsrtFiles> {
  const images = new Map<string, string>();
  const masks = new Map<string, Map<Outline, string>>();
  const clinical: string[] = [];
  for (const path of await filesBelow(root, DEPTH)) {
    if (CLINICAL.test(basename(path))) clinical.push(path);
    const match = FILE.exec(basename(path));
    const id = match?.[1]?.toUpperCase() ?? '';
    if (!NAMES.includes(id)) continue;
    const outline = match?.[2] === undefined ? outlineOf(basename(dirname(path))) : 'lungs';
    if (!outline) {
      keepBetter(images, id, path);
      continue;
    }
    const known = masks.get(id) ?? new Map<Outline, string>();
    masks.set(id, known);
    keepBetter(known, outline, path);
  }
  return { images, masks, clinical };
}

/** `left lung`, `left_lung` and `left_lung_png` alike. */
function outlineOf(folder: string): Outline | undefined {
  const name = folder
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '-')
    .replace(/-(png|gif)$/, '');
  return OUTLINES[name];
}

function keepBetter<K extends string>(files: Map<K, string>, key: K, path: string): void {
  const other = files.get(key);
  if (other !== undefined && rank(other) === rank(path)) throw duplicate(key, other, path);
  if (other === undefined || rank(path) < rank(other)) files.set(key, path);
}

/** Originals first; masks of the first observer lie in a folder `masks`. */
function rank(path: string): number {
  const original = ['.img', '.gif'].includes(extname(path).toLowerCase());
  return (original ? 0 : 2) + (basename(dirname(dirname(path))) === 'masks' ? 0 : 1);
}

function duplicate(key: string, first: string, second: string): RobustError {
  return new RobustError('DATASET_INVALID', {
    message: `Two files may be '${key}'.`,
    where: second,
    expected: 'one file of each kind',
    received: `also ${first}`,
    next: 'move one of the two out of the folder',
  });
}

async function filesBelow(dir: string, depth: number): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isFile() || FILE.test(entry.name)) found.push(path);
    else if (depth > 1) found.push(...(await filesBelow(path, depth - 1)));
  }
  return found;
}
