import { RobustError } from '../errors/index.ts';
import type { Image, Mask } from '../vocabulary.ts';
import { decode, MAX_PIXELS, readEncoded } from './decode.ts';
import { labelled, type Labels } from './labels.ts';
import type { Raster } from './raster.ts';
import { resample } from './resize.ts';

/** How an image file becomes an image. */
export interface ReadImageOptions {
  /** 1 converts colour to luma (ITU-R BT.601, as PIL and OpenCV do); 3 repeats grey. */
  readonly channels: 1 | 3;
  /** Resize to this many rows and columns, as `resizeImage` does, without holding the whole image as floats. */
  readonly size?: number;
  /** Refuse larger images. */
  readonly maxPixels?: number;
}

/** How a mask file becomes a mask. */
export interface ReadMaskOptions {
  /** Grey levels (0..255) above it are foreground. */
  readonly threshold: number;
  /** Classes by mask value, instead of the threshold. */
  readonly labels?: Labels;
  readonly maxPixels?: number;
}

/** Reads a file as it is, three samples a pixel. Errors: IMAGE_MISSING, IMAGE_UNREADABLE, IMAGE_TOO_LARGE. */
export async function readRaster(path: string): Promise<Raster> {
  return decode(await readEncoded(path));
}

/**
 * Reads an image `[height, width, channels]` with values 0..255; 16-bit files are scaled by 1/257 and keep their
 * fraction. Errors: IMAGE_MISSING, IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function readImage(path: string, options: ReadImageOptions): Promise<Image> {
  const { channels, size, maxPixels = MAX_PIXELS } = options;
  const raster = await decode(await readEncoded(path), maxPixels);
  const height = size ?? raster.height;
  const width = size ?? raster.width;
  const data = size === undefined ? raster.data : resample(raster.data, rasterShape(raster), height, width);
  const scale = 255 / raster.white;
  const values = channels === 3 ? new Float32Array(data).map((value) => value * scale) : luma(data, scale);
  return { shape: [height, width, channels], data: values };
}

/**
 * Reads a mask `[height, width]`: of class indices where `labels` are given, otherwise of 0 and 1, with 1 where the
 * file's grey level is above the threshold. A file
 * that is neither empty nor anywhere above the threshold (such as one that stores 0 and 1) is an error, since it
 * would silently become an empty mask. Errors: MASK_MISSING, MASK_VALUES, IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function readMask(
  path: string,
  { threshold, labels, maxPixels = MAX_PIXELS }: ReadMaskOptions,
): Promise<Mask> {
  const raster = await decode(await readEncoded(path, 'MASK_MISSING'), maxPixels);
  if (labels) return labelled(raster, labels, path);
  const grey = luma(raster.data, 255 / raster.white);
  const largest = grey.reduce((max, value) => Math.max(max, value), 0);
  if (largest > 0 && largest <= threshold) {
    throw new RobustError('MASK_VALUES', {
      message: 'The mask holds marks, but none above the threshold.',
      where: path,
      expected: `grey levels above ${threshold} where the foreground is`,
      received: `grey levels 0 to ${Number(largest.toFixed(2))}`,
      next: 'set the threshold of the data set below the grey level of the foreground, 0 for masks of 0 and 1',
    });
  }
  const data = new Uint8Array(grey.length);
  grey.forEach((value, i) => (data[i] = Number(value > threshold)));
  return { shape: [raster.height, raster.width], data };
}

function rasterShape({ height, width }: Raster): [number, number, number] {
  return [height, width, 3];
}

function luma(rgb: Raster['data'] | Float32Array, scale: number): Float32Array {
  const grey = new Float32Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const r = rgb[3 * i]!;
    const g = rgb[3 * i + 1]!;
    const b = rgb[3 * i + 2]!;
    // The weights sum to 1 only up to rounding: grey must stay exactly what it was.
    grey[i] = scale * (r === g && g === b ? r : 0.299 * r + 0.587 * g + 0.114 * b);
  }
  return grey;
}
