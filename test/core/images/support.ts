import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { makeRandom } from '../../../core/random.ts';
import { temporaryFolder } from '../../../core/testing/context.ts';
import type { Context } from '../../../core/index.ts';

/** The part of a context that data sets use, with a cache folder of its own. */
export function dataContext(baseDir = '/', seed = 0): Context {
  const silent = { info: () => undefined, warn: () => undefined, debug: () => undefined };
  const signal = new AbortController().signal;
  const parts = { baseDir, cacheDir: temporaryFolder(), log: silent, signal, random: makeRandom(seed) };
  return parts as unknown as Context;
}

/** An 8-bit picture whose sample at (row, column, channel) is `value(row, column, channel)`. */
export function picture(
  [height, width, channels]: readonly [number, number, 1 | 3],
  value: (row: number, column: number, channel: number) => number,
): Sharp {
  const at = (i: number) => {
    const pixel = Math.floor(i / channels);
    return value(Math.floor(pixel / width), pixel % width, i % channels);
  };
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => at(i));
  return sharp(data, { raw: { width, height, channels } }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

/** A mask file: white where `inside`, black elsewhere. */
export function maskPicture(
  height: number,
  width: number,
  inside: (row: number, column: number) => boolean,
): Sharp {
  return picture([height, width, 1], (row, column) => (inside(row, column) ? 255 : 0));
}

/** Writes a file into a new folder and tells its path. */
export async function saved(name: string, bytes: Promise<Buffer> | Buffer): Promise<string> {
  const path = join(temporaryFolder(), name);
  await writeFile(path, await bytes);
  return path;
}

/** Writes pictures below a folder, in the format of each name. */
export async function fill(root: string, files: Readonly<Record<string, Sharp>>): Promise<string> {
  for (const [name, file] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    await file.toFile(path);
  }
  return root;
}

/** A picture and a mask of a square whose place and brightness depend on `seed`. */
export function pairOf(seed: number, height = 20, width = 24): { image: Sharp; mask: Sharp } {
  const inside = (row: number, column: number) =>
    row >= 4 + (seed % 3) && row < 14 && column >= 5 && column < 15;
  const level = (row: number, column: number) =>
    (inside(row, column) ? 200 : 40) + ((row * 3 + column + seed * 7) % 30);
  return { image: picture([height, width, 3], level), mask: maskPicture(height, width, inside) };
}

/** A Windows bitmap of 24 bits: rows from the bottom, blue first, padded to four bytes. */
export function bmp24(rgb: Uint8Array, { width, height }: { width: number; height: number }): Buffer {
  const stride = Math.ceil((3 * width) / 4) * 4;
  const rows = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < 3 * width; i++) {
      const at = (height - 1 - row) * stride + 3 * Math.floor(i / 3) + 2 - (i % 3);
      rows[at] = rgb[3 * width * row + i]!;
    }
  }
  return bmp(width, height, 24, [], rows);
}

/** A plain Windows bitmap; a negative height stores it from the top. */
export function bmp(
  width: number,
  height: number,
  bits: number,
  palette: readonly (readonly [r: number, g: number, b: number])[],
  rows: Uint8Array,
): Buffer {
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(54 + 4 * palette.length + rows.length, 2);
  head.writeUInt32LE(54 + 4 * palette.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(palette.length, 46);
  return Buffer.concat([head, Buffer.from(palette.flatMap(([r, g, b]) => [b, g, r, 0])), rows]);
}
