import { few, findFiles, pairFiles, patternSegments, RobustError } from '../../../core/index.ts';
import type { FilesById, Pair, Pairing } from '../../../core/index.ts';

/** Two file patterns, which belong together by what their stars match. */
interface Patterns {
  readonly images: string;
  readonly masks: string;
}

/** Pairs, and what a person should know about the others. */
export interface Found {
  readonly pairs: readonly Pair[];
  readonly notes: readonly string[];
}

/**
 * The images and masks of two patterns.
 *
 * @throws RobustError DATASET_EMPTY without images; unless `allowPartial` is set, MASK_MISSING and MASK_WITHOUT_IMAGE.
 */
export async function findPairs(dir: string, patterns: Patterns, allowPartial: boolean): Promise<Found> {
  return checked(await pairing(dir, patterns), dir, patterns, allowPartial);
}

async function pairing(dir: string, patterns: Patterns): Promise<Pairing> {
  const [masks, images] = [await find(dir, patterns.masks), await find(dir, patterns.images)];
  // `*.png` for images also matches `x_mask.png` in the same folder.
  const maskPaths = new Set(masks.values());
  return pairFiles(new Map([...images].filter(([, path]) => !maskPaths.has(path))), masks);
}

/** A pattern with a slash at its end finds folders. */
function find(dir: string, pattern: string): Promise<FilesById> {
  return findFiles(dir, patternSegments(pattern), pattern.endsWith('/'));
}

function checked(
  { pairs, withoutMask, withoutImage }: Pairing,
  dir: string,
  { images, masks }: Patterns,
  allowPartial: boolean,
): Found {
  if (pairs.length + withoutMask.length === 0) {
    throw new RobustError('DATASET_EMPTY', {
      message: 'No image matches the pattern.',
      where: dir,
      expected: `files such as ${example(images, 'name')}`,
      received: 'none',
      next: 'check `root` and `images` of the data set',
    });
  }
  const notes: string[] = [];
  const alone = (code: 'MASK_MISSING' | 'MASK_WITHOUT_IMAGE', ids: readonly string[], pattern: string) => {
    const [first] = ids;
    if (first === undefined) return;
    const message =
      code === 'MASK_MISSING' ? `${ids.length} images have no mask.` : `${ids.length} masks have no image.`;
    notes.push(`${message.slice(0, -1)} and were skipped: ${few(ids)}`);
    if (allowPartial) return;
    throw new RobustError(code, {
      message,
      where: dir,
      expected: `${example(pattern, first)} for '${first}', and so on`,
      received: `${pairs.length} pairs, and alone: ${few(ids)}`,
      next: 'add the files, check `images` and `masks`, or set `allowPartial: true` to skip what is alone',
    });
  };
  alone('MASK_MISSING', withoutMask, masks);
  alone('MASK_WITHOUT_IMAGE', withoutImage, images);
  return { pairs, notes };
}

function example(pattern: string, id: string): string {
  return pattern.replace('*', id);
}
