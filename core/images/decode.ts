import { readFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { RobustError, type ErrorCode } from '../errors/index.ts';

/** An image file, in memory or still on disk. */
interface ImageFile {
  readonly path: string;
  readonly bytes?: Uint8Array;
}

/** An image file in memory. */
export type EncodedImage = Required<ImageFile>;

/** What the header of an image file says; height and width after its EXIF orientation is applied. */
export interface ImageHeader {
  readonly height: number;
  readonly width: number;
  readonly format: string;
  /** Bits per sample after decoding: files with fewer than 8 are decoded to 8. */
  readonly bits: 8 | 16;
}

/** Decoded samples, row-major `[height, width, 3]`, as the file has them: 0..`white`. */
export interface Raster {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array | Uint16Array;
  readonly white: 255 | 65535;
}

/** Images of more pixels are refused: a damaged or malicious header could ask for any amount of memory. */
export const MAX_PIXELS = 2 ** 27;

// Loaded on first use: it is a native library, and most commands never touch an image.
const loadSharp = async () => (await import('sharp')).default;

/**
 * Runs sharp over encoded bytes. Colour profiles are ignored, as in PIL and OpenCV, so that grey levels stay as stored.
 */
async function guarded<T>({ path, bytes }: ImageFile, job: (image: Sharp) => Promise<T>): Promise<T> {
  const sharp = await loadSharp();
  try {
    return await job(sharp(bytes ?? path, { ignoreIcc: true, limitInputPixels: false }));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Reads a file; a missing one is an error with the given code. */
export async function readEncoded(path: string, missing: ErrorCode = 'IMAGE_MISSING'): Promise<EncodedImage> {
  try {
    return { path, bytes: await readFile(path) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, cause);
    throw new RobustError(missing, {
      message: missing === 'MASK_MISSING' ? 'The mask does not exist.' : 'The image does not exist.',
      where: path,
      expected: 'a PNG, JPEG, TIFF or GIF file',
      received: 'no such file',
      next: 'check the path and the file patterns of the data set',
      cause,
    });
  }
}

/** Reads the header alone. Errors: IMAGE_UNREADABLE, IMAGE_TOO_LARGE. */
export async function readHeader(file: ImageFile, maxPixels = MAX_PIXELS): Promise<ImageHeader> {
  const metadata = await guarded(file, (image) => image.metadata());
  const { width, height } = metadata.autoOrient;
  const bits = { uchar: 8, ushort: 16 }[metadata.depth as string] as 8 | 16 | undefined;
  if (bits === undefined) throw unreadable(file.path, `samples of type ${metadata.depth}`);
  if (width * height > maxPixels) {
    throw new RobustError('IMAGE_TOO_LARGE', {
      message: 'The image has more pixels than this program accepts.',
      where: file.path,
      expected: `at most ${maxPixels} pixels`,
      received: `${width} x ${height} = ${width * height} pixels`,
      next: 'shrink the file first, or leave it out',
    });
  }
  return { height, width, format: metadata.format, bits };
}

/**
 * Decodes a file to three channels. Grey is repeated, palettes are looked up, alpha is dropped, EXIF orientation is
 * applied, and of several frames the first is taken. Errors: IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function decode(file: EncodedImage, maxPixels = MAX_PIXELS): Promise<Raster> {
  const { bits } = await readHeader(file, maxPixels);
  const { data, info } = await guarded(file, (image) => {
    const rgb = image.autoOrient().removeAlpha();
    const raw =
      bits === 8
        ? rgb.toColourspace('srgb').raw({ depth: 'uchar' })
        : rgb.toColourspace('rgb16').raw({ depth: 'ushort' });
    return raw.toBuffer({ resolveWithObject: true });
  });
  const { height, width } = info;
  if (bits === 8) return { height, width, data, white: 255 };
  return { height, width, data: new Uint16Array(new Uint8Array(data).buffer), white: 65535 };
}

function unreadable(path: string, cause: unknown): RobustError {
  return new RobustError('IMAGE_UNREADABLE', {
    message: 'The file cannot be decoded as an image.',
    where: path,
    expected: 'a whole PNG, JPEG, TIFF or GIF file with 8 or 16 bits per sample',
    received: cause instanceof Error ? cause.message.trim() : String(cause),
    next: 'open the file in an image viewer; if it is damaged, fetch or export it again',
    cause,
  });
}
