import { writeFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { RobustError } from '../errors/index.ts';
import type { Image, Mask } from '../vocabulary.ts';

/** How a mask is drawn. */
export interface EncodeOptions {
  /** Number of classes of a mask: they spread evenly over 0..255, so that two classes become black and white. */
  readonly classes?: number;
}

/**
 * A PNG file that holds exactly the given values: 8 bits, or 16 where an image has whole values up to 65535.
 * Equal input gives equal bytes. Errors: IMAGE_NOT_WHOLE for values that no PNG can hold.
 */
export async function encodePng(
  picture: Image | Mask,
  { classes = 2 }: EncodeOptions = {},
): Promise<Uint8Array> {
  const [height, width, channels = 1] = picture.shape;
  const values = isMask(picture)
    ? picture.data.map((index) => Math.min(255, Math.round((255 * index) / (classes - 1))))
    : picture.data;
  const deep = depth(values) === 16;
  const data = deep ? Uint16Array.from(values) : Uint8Array.from(values);
  const { default: sharp } = await import('sharp');
  const raw = sharp(data, { raw: { width, height, channels: channels as 1 | 3 } });
  return inSpace(raw, channels, deep).png({ compressionLevel: 6, adaptiveFiltering: false }).toBuffer();
}

/** Writes {@link encodePng} to a file. */
export async function writePng(path: string, picture: Image | Mask, options?: EncodeOptions): Promise<void> {
  await writeFile(path, await encodePng(picture, options));
}

function isMask(picture: Image | Mask): picture is Mask {
  return picture.shape.length === 2;
}

function inSpace(raw: Sharp, channels: number, deep: boolean): Sharp {
  if (channels === 1) return raw.toColourspace(deep ? 'grey16' : 'b-w');
  return raw.toColourspace(deep ? 'rgb16' : 'srgb');
}

function depth(values: Float32Array | Uint8Array): 8 | 16 {
  const odd = values.find((value) => !(Number.isInteger(value) && value >= 0 && value <= 65535));
  if (odd !== undefined) {
    throw new RobustError('IMAGE_NOT_WHOLE', {
      message: 'The image cannot be stored in a PNG file without loss.',
      expected: 'whole values from 0 to 65535',
      received: String(odd),
      next: 'quantise the image first',
    });
  }
  return values.some((value) => value > 255) ? 16 : 8;
}
