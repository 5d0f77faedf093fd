import { readFile } from 'node:fs/promises';
import { readHeader, readImage, readRaster, RobustError, type Image } from '../../../core/index.ts';

/** A raw file has no header: 2048 rows of 2048 pixels, two bytes each, high byte first. */
const SIDE = 2048;
const BYTES = 2 * SIDE * SIDE;

/** Twelve bits are meant. Seven files hold a few larger values, which would blacken everything else if kept. */
const WHITE = 4095;

/** The share of values above 4095 from which a file is no 12-bit file. The worst true one has 455 of 4 million. */
const FOREIGN = 0.01;

/** Whether dense film (lungs, air) has high values, or low ones as on a light box. */
export type Polarity = 'density' | 'display';

/** Whether a file is one of the original ones. */
export function isRaw(path: string): boolean {
  return path.toLowerCase().endsWith('.img');
}

/** Rows and columns of a radiograph. Errors: IMAGE_UNREADABLE for a raw file of another size or byte order. */
export async function inspectRadiograph(path: string): Promise<readonly [height: number, width: number]> {
  if (isRaw(path)) {
    await readRaw(path);
    return [SIDE, SIDE];
  }
  const { height, width } = await readHeader({ path });
  return [height, width];
}

/**
 * Reads a radiograph `[height, width, 1]` with values 0..255, bone bright. Raw files and 16-bit files that hold their
 * 12 bits are clipped to 0..4095 first. `polarity` is that of converted files; raw ones have film density.
 */
export async function readRadiograph(path: string, polarity: Polarity): Promise<Image> {
  if (isRaw(path)) return twelveBits(await readRaw(path), [SIDE, SIDE], 'density');
  const { bits } = await readHeader({ path });
  if (bits === 16) {
    const { data, height, width } = await readRaster(path);
    const grey = Uint16Array.from({ length: height * width }, (_, i) => data[3 * i]!);
    if (isTwelveBits(grey)) return twelveBits(grey, [height, width], polarity);
  }
  const image = await readImage(path, { channels: 1 });
  return polarity === 'display' ? image : { ...image, data: image.data.map((value) => 255 - value) };
}

function twelveBits(values: Uint16Array, [height, width]: [number, number], polarity: Polarity): Image {
  const data = new Float32Array(values.length);
  for (let i = 0; i < data.length; i++) {
    const density = (255 / WHITE) * Math.min(WHITE, values[i]!);
    data[i] = polarity === 'density' ? 255 - density : density;
  }
  return { shape: [height, width, 1], data };
}

async function readRaw(path: string): Promise<Uint16Array> {
  const bytes = await readFile(path);
  const unreadable = (message: string, expected: string, received: string, next: string) =>
    new RobustError('IMAGE_UNREADABLE', { message, where: path, expected, received, next });
  if (bytes.length !== BYTES) {
    throw unreadable(
      'The raw radiograph has another size than every file of JSRT.',
      `${BYTES} bytes: ${SIDE} x ${SIDE} pixels of two bytes, without a header`,
      `${bytes.length} bytes`,
      'fetch or unpack the file again; converted images need their own suffix, such as .png',
    );
  }
  const values = new Uint16Array(new Uint8Array(bytes.swap16()).buffer);
  if (isTwelveBits(values)) return values;
  throw unreadable(
    'The raw radiograph is not in the byte order of JSRT.',
    'the high byte of each pixel first, so that nearly all values are at most 4095',
    'values above 4095 in more than 1 % of the pixels',
    'swap the bytes of each pair, or unpack the file again',
  );
}

/** Judged by every 61st value: a prime, so that no column is missed. */
function isTwelveBits(values: Uint16Array): boolean {
  let above = 0;
  for (let i = 0; i < values.length; i += 61) above += Number(values[i]! > WHITE);
  return above * 61 <= FOREIGN * values.length;
}
