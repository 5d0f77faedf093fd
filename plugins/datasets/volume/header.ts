import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { RobustError } from '../../../core/index.ts';
import { unreadable } from './unreadable.ts';

/** Files that ITK reads alone, by the ending of their names. */
export const ITK_ENDINGS = ['.nii', '.nii.gz', '.nrrd', '.mha'] as const;
export type ItkEnding = (typeof ITK_ENDINGS)[number];

/** Larger volumes are refused by their header, before anything makes room for them. */
const MAX_VOXELS = 2 ** 28;

/** What deflate makes of a byte at most, so that a few bytes cannot ask for gigabytes. */
const MAX_RATIO = 1032;

/** Bytes of a file that hold its header. */
const START = 2 ** 14;

/** In headers of text: where the sizes stand, and what says that the voxels lie in another file. */
const TEXT = {
  '.nrrd': { sides: /^sizes:(.*)$/im, elsewhere: /^data ?file:.*$/im },
  '.mha': { sides: /^DimSize *=(.*)$/im, elsewhere: /^ElementDataFile *=(?! *LOCAL\s*$).*$/im },
} as const;

/**
 * Looks at the header of a file before ITK does, which would make room for whatever a damaged one asks.
 *
 * @returns the bytes that the file must have after decompression, as far as its header tells
 * @throws RobustError IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function checkHeader(path: string, ending: ItkEnding): Promise<number> {
  const start = Buffer.concat(await take(contentOf(path, ending), START));
  const { size } = await stat(path);
  const checked = (sides: readonly number[]) => {
    const voxels = checkVoxels(path, sides);
    if (voxels > MAX_RATIO * size) throw unreadable(path, `${sides.join(' x ')} voxels in ${size} bytes`);
    return voxels;
  };
  if (ending === '.nrrd' || ending === '.mha') {
    const { sides, elsewhere } = TEXT[ending];
    // The header of a NRRD file ends with an empty line, that of MetaImage with the line that is looked for.
    const [text] = start.toString('latin1').split(/\r?\n\r?\n/) as [string];
    const [pointer] = elsewhere.exec(text) ?? [];
    // Another file would not count in the fingerprint of the data.
    if (pointer !== undefined) throw unreadable(path, `a header of voxels elsewhere: ${pointer}`);
    checked(sides.exec(text)?.[1]?.trim().split(/\s+/).map(Number) ?? []);
    return 0;
  }
  const { sides, offset, bits } = niftiHeader(path, start);
  return offset + (checked(sides) * bits) / 8;
}

/** NIfTI-1 and NIfTI-2 in either byte order: sides, where the voxels begin, and bits of each. */
function niftiHeader(path: string, start: Buffer) {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const known = [true, false].flatMap((little) => [348, 540].map((length) => ({ little, length })));
  const found =
    start.length >= 352 && known.find(({ little, length }) => view.getInt32(0, little) === length);
  if (!found) throw unreadable(path, 'no NIfTI header');
  const { little, length } = found;
  const second = length === 540;
  const side = (axis: number) =>
    second ? Number(view.getBigInt64(16 + 8 * axis, little)) : view.getInt16(40 + 2 * axis, little);
  const sides = Array.from({ length: Math.min(7, Math.max(0, side(0))) }, (_, axis) => side(axis + 1));
  const offset = second ? Number(view.getBigInt64(168, little)) : view.getFloat32(108, little);
  const bits = view.getInt16(second ? 14 : 72, little);
  return { sides, offset, bits };
}

/** @throws RobustError IMAGE_TOO_LARGE. */
export function checkVoxels(path: string, sides: readonly number[]): number {
  const voxels = sides.reduce((product, side) => product * side, 1);
  if (sides.every((side) => side >= 1) && voxels <= MAX_VOXELS) return voxels;
  throw new RobustError('IMAGE_TOO_LARGE', {
    message: 'The volume has more voxels than this program accepts, or none.',
    where: path,
    expected: `1 to ${MAX_VOXELS} voxels`,
    received: `${sides.join(' x ')} voxels`,
    next: 'crop or resample the volume first, or leave it out',
  });
}

/**
 * Looks whether a file holds enough after decompression: ITK fills up with zeros what a truncated NIfTI file lacks.
 *
 * @throws RobustError IMAGE_UNREADABLE where it is less than expected.
 */
export async function checkLength(path: string, ending: ItkEnding, expected: number): Promise<void> {
  let length = 0;
  for await (const chunk of contentOf(path, ending)) {
    length += chunk.length;
    // More may follow, however much: ITK does not read it.
    if (length >= expected) return;
  }
  if (expected > 0) throw unreadable(path, `a truncated file: ${length} of ${expected} bytes`);
}

/** The bytes of a file, decompressed. */
async function* contentOf(path: string, ending: ItkEnding): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const content = ending === '.nii.gz' ? file.pipe(createGunzip()) : file;
  try {
    file.once('error', (error) => content.destroy(error));
    for await (const chunk of content) yield chunk as Buffer;
  } catch (cause) {
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    file.destroy();
  }
}

/** Chunks until they hold so many bytes. */
async function take(chunks: AsyncIterable<Buffer>, bytes: number): Promise<Buffer[]> {
  const taken: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    taken.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return taken;
}
