import { open } from 'node:fs/promises';
import { decode } from 'bmp-ts';
import type { ImageHeader, Raster } from './raster.ts';

/** Bytes of a bitmap that say how large it is. */
const START = 34;

/**
 * The header of a Windows bitmap, which sharp cannot read; nothing for other files.
 *
 * @param bytes the file, which is opened otherwise
 */
export async function bmpHeader(path: string, bytes?: Uint8Array): Promise<ImageHeader | undefined> {
  const start = bytes ?? (await firstBytes(path));
  if (start[0] !== 0x42 || start[1] !== 0x4d || start.length < START) return undefined;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const [width, height] = [view.getInt32(18, true), view.getInt32(22, true)];
  // A negative height means that the file is stored from the top.
  return { width: Math.abs(width), height: Math.abs(height), format: 'bmp', bits: 8 };
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(new Uint8Array(START)).finally(() => file.close());
  return buffer.subarray(0, bytesRead);
}

/** Decodes a bitmap to three channels: palettes are looked up, alpha is dropped. Throws for what it cannot read. */
export function decodeBmp(bytes: Uint8Array): Raster {
  const { width, height, data: abgr, ...header } = decode(Buffer.from(bytes));
  const { bitPP, compression = 0, headerSize, offset, palette = [] } = header;
  if (![1, 8, 24, 32].includes(bitPP) || ![0, 3].includes(compression)) {
    throw new Error(
      `a bitmap of ${bitPP} bits with compression ${compression}, not a plain one of 1, 8, 24 or 32`,
    );
  }
  const masks = headerSize === 40 && compression === 3 ? 12 : 0;
  // The decoder takes for granted that the pixels follow their palette.
  if (offset !== 14 + headerSize + masks + 4 * palette.length) throw new Error('a bitmap with a gap in it');
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[3 * i + c] = abgr[4 * i + 3 - c]!;
  }
  return { height, width, data, white: 255 };
}
