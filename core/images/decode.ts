import { readFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { RobustError, type ErrorCode } from '../errors/index.ts';
import { bmpHeader, decodeBmp } from './bmp.ts';
import type { ImageHeader, Raster } from './raster.ts';

/** An image file, in memory or still on disk. */
interface ImageFile {
  readonly path: string;
  readonly bytes?: Uint8Array;
}

/** An image file in memory. */
export type EncodedImage = Required<ImageFile>;

/** Images of more pixels are refused: a damaged or malicious header could ask for any amount of memory. */
export const MAX_PIXELS = 2 ** 26;

/** What is decoded; sharp knows more, such as SVG, which can name other files. */
const FORMATS = ['png', 'jpeg', 'tiff', 'gif', 'webp', 'bmp'];

// Loaded on first use: it is a native library, and most commands never touch an image.
const loadSharp = async () => (await import('sharp')).default;

/**
 * Runs sharp over a file. Colour profiles are ignored, as in PIL and OpenCV, so that grey levels stay as stored.
 */
async function withSharp<T>({ path, bytes }: ImageFile, job: (image: Sharp) => Promise<T>): Promise<T> {
  const sharp = await loadSharp();
  return job(sharp(bytes ?? path, { ignoreIcc: true, limitInputPixels: false }));
}

/** Whatever goes wrong inside means that the file is no image. */
async function guarded<T>({ path }: ImageFile, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (cause) {
    throw cause instanceof RobustError ? cause : unreadable(path, cause);
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
      expected: 'a PNG, JPEG, TIFF, GIF, WebP or BMP file',
      received: 'no such file',
      next: 'check the path and the file patterns of the data set',
      cause,
    });
  }
}

/** Reads the header alone. Errors: IMAGE_UNREADABLE, IMAGE_TOO_LARGE. */
export async function readHeader(file: ImageFile, maxPixels = MAX_PIXELS): Promise<ImageHeader> {
  const header = await guarded(
    file,
    async () => (await bmpHeader(file.path, file.bytes)) ?? (await withSharp(file, sharpHeader)),
  );
  const { width, height } = header;
  if (width * height > maxPixels) {
    throw new RobustError('IMAGE_TOO_LARGE', {
      message: 'The image has more pixels than this program accepts.',
      where: file.path,
      expected: `at most ${maxPixels} pixels`,
      received: `${width} x ${height} = ${width * height} pixels`,
      next: 'shrink the file first, or leave it out',
    });
  }
  return header;
}

async function sharpHeader(image: Sharp): Promise<ImageHeader> {
  const { autoOrient, format, depth } = await image.metadata();
  if (!FORMATS.includes(format)) throw new Error(`a file of the format ${format}`);
  const bits = { uchar: 8, ushort: 16 }[depth as string] as 8 | 16 | undefined;
  if (bits === undefined) throw new Error(`samples of type ${depth}`);
  return { ...autoOrient, format, bits };
}

/**
 * Decodes a file to three channels. Grey is repeated, palettes are looked up, alpha is dropped, EXIF orientation is
 * applied, and of several frames the first is taken. Errors: IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function decode(file: EncodedImage, maxPixels = MAX_PIXELS): Promise<Raster> {
  const { bits, format } = await readHeader(file, maxPixels);
  if (format === 'bmp') return guarded(file, async () => decodeBmp(file.bytes));
  const { data, info } = await guarded(file, () =>
    withSharp(file, (image) => {
      const rgb = image.autoOrient().removeAlpha();
      const raw =
        bits === 8
          ? rgb.toColourspace('srgb').raw({ depth: 'uchar' })
          : rgb.toColourspace('rgb16').raw({ depth: 'ushort' });
      return raw.toBuffer({ resolveWithObject: true });
    }),
  );
  const { height, width } = info;
  if (bits === 8) return { height, width, data, white: 255 };
  return { height, width, data: new Uint16Array(new Uint8Array(data).buffer), white: 65535 };
}

function unreadable(path: string, cause: unknown): RobustError {
  return new RobustError('IMAGE_UNREADABLE', {
    message: 'The file cannot be decoded as an image.',
    where: path,
    expected: 'a whole PNG, JPEG, TIFF, GIF, WebP or BMP file with 8 or 16 bits per sample',
    received: (cause instanceof Error ? cause.message : String(cause)).trim().split('\n')[0]!,
    next: 'open the file in an image viewer; if it is damaged, fetch or export it again',
    cause,
  });
}
