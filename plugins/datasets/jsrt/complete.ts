import { few, readImage, RobustError, type ErrorCode } from '../../../core/index.ts';
import { NAMES, type JsrtFiles } from './files.ts';
import { isRaw } from './pixels.ts';

/**
 * What is missing, for the report. Errors, unless a part is allowed: DATASET_INCOMPLETE for missing images,
 * MASK_MISSING for missing masks; and DATASET_EMPTY when nothing at all is there.
 *
 * @param present names with an image and all masks
 */
export function checkComplete(
  dir: string,
  { images }: JsrtFiles,
  present: readonly string[],
  allowPartial: boolean,
): string[] {
  const missing = NAMES.filter((id) => !images.has(id));
  const unmasked = NAMES.filter((id) => images.has(id) && !present.includes(id));
  const notes = [
    ...(missing.length > 0
      ? [`${missing.length} of ${NAMES.length} images are missing: ${few(missing)}`]
      : []),
    ...(unmasked.length > 0 ? [`${unmasked.length} images have no mask: ${few(unmasked)}`] : []),
  ];
  if (present.length === 0) throw incomplete('DATASET_EMPTY', dir, notes);
  if (missing.length > 0 && !allowPartial) throw incomplete('DATASET_INCOMPLETE', dir, notes);
  if (unmasked.length > 0 && !allowPartial) throw incomplete('MASK_MISSING', dir, notes);
  return notes;
}

function incomplete(code: ErrorCode, dir: string, missing: readonly string[]): RobustError {
  return new RobustError(code, {
    message:
      'JSRT is not complete: 247 chest radiographs of the Japanese Society of Radiological Technology, with the ' +
      'outlines of lungs, heart and clavicles that SCR (Image Sciences Institute, Utrecht) added.',
    where: dir,
    expected:
      'All247images/JPCLN001.IMG to JPCNN093.IMG (247) and scratch/fold1, fold2/masks/left lung/JPCLN001.gif and so ' +
      'on, or the same images as PNG; folders are searched at any depth',
    received: missing.join('. '),
    next:
      'register with JSRT (db.jsrt.or.jp) for the images and with SCR for the masks, and unpack both there; both are ' +
      'for research only and may not be passed on. Or set `allowPartial: true` to use what is present',
  });
}

/** SCR trains on the odd numbers (fold 1) and tests on the even ones. */
export function foldNotes({ masks }: JsrtFiles): string[] {
  const odd = [...masks].filter(([id, paths]) =>
    [...paths.values()].some((path) => {
      const fold = /[\\/]fold([12])[\\/]/i.exec(path)?.[1];
      return fold !== undefined && Number(fold) % 2 !== Number(id.slice(-3)) % 2;
    }),
  );
  if (odd.length === 0) return [];
  const ids = odd.map(([id]) => id);
  return [`${ids.length} masks lie in the fold of the other parity, the split goes by number: ${few(ids)}`];
}

/** Images with a few pixels far above 4095. */
const DIRTY = ['JPCLN031', 'JPCLN037', 'JPCLN078', 'JPCLN083', 'JPCLN094', 'JPCLN117', 'JPCLN122'];

/** A conversion that stretches the darkest and the brightest pixel to 0 and 255 leaves those almost blank. */
export async function blankNotes({ images }: JsrtFiles, present: readonly string[]): Promise<string[]> {
  const converted = DIRTY.filter((id) => present.includes(id) && !isRaw(images.get(id)!));
  const levels = await Promise.all(
    converted.map(async (id) => new Set((await readImage(images.get(id)!, { channels: 1 })).data).size),
  );
  const blank = converted.filter((_, i) => levels[i]! < 64);
  if (blank.length === 0) return [];
  return [`${blank.length} images were converted without clipping and are almost blank: ${few(blank)}`];
}
