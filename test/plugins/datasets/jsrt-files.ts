import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { temporaryFolder } from '../../../core/testing/context.ts';

/** Look-alikes of JSRT and SCR files: a drawn chest in the byte format of the originals. */

/** Ellipses in units of the side, x to the viewer's right: the patient's left is on the viewer's right. */
const ORGANS = {
  'left lung': [0.68, 0.45, 0.14, 0.3],
  'right lung': [0.32, 0.45, 0.14, 0.3],
  heart: [0.55, 0.62, 0.12, 0.1],
  'left clavicle': [0.68, 0.2, 0.13, 0.03],
  'right clavicle': [0.32, 0.2, 0.13, 0.03],
} as const;
export type OrganName = keyof typeof ORGANS;
export const organNames = Object.keys(ORGANS) as OrganName[];

/** Whether the centre of a pixel lies in an organ; numbers of films shift it, so that films differ. */
export function inside(organ: OrganName, id: string, side: number, at: number): boolean {
  const [x, y, rx, ry] = ORGANS[organ];
  const shift = (Number(id.slice(-3)) % 10) / 200;
  const [px, py] = [((at % side) + 0.5) / side, (Math.floor(at / side) + 0.5) / side];
  return ((px - x - shift) / rx) ** 2 + ((py - y) / ry) ** 2 < 1;
}

/** Values drawn at most 256 to a side and repeated from there: large files are slow to draw. */
function draw(side: number, value: (side: number, at: number) => number): Uint16Array {
  const small = Math.min(side, 256);
  const step = side / small;
  const drawn = new Uint16Array(small * small).map((_, at) => value(small, at));
  const result = new Uint16Array(side * side);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++)
      result[row * side + column] = drawn[Math.floor(row / step) * small + Math.floor(column / step)]!;
  return result;
}

/** Film density 0..4095: lungs high, the rest low, with a ramp from top to bottom. */
export function density(id: string, side: number): Uint16Array {
  return draw(side, (drawn, at) => {
    const lung = inside('left lung', id, drawn, at) || inside('right lung', id, drawn, at);
    return (lung ? 3000 : 400) + Math.floor((Math.floor(at / drawn) / drawn) * 600);
  });
}

/** The headerless original: two bytes a pixel, the high byte first. */
export function rawFile(values: Uint16Array): Buffer {
  return Buffer.from(new Uint8Array(values.slice().buffer)).swap16();
}

/** What the dirty originals look like: JPCLN122 has 455 pixels out of range, six others one each. */
function dirty(id: string, values: Uint16Array): Uint16Array {
  if (id === 'JPCLN122') {
    for (let i = 0; i < 455; i++) values[(103 + (i % 33)) * 2048 + 900 + Math.floor(i / 33)] = 65535;
  } else values[1000 * 2048 + 2046] = 65535;
  return values;
}

/**
 * A GIF89a as SCR has them: one frame, a global palette that is the grey ramp, an opaque graphic control block, minimum
 * code size 8, background 189, and the values 0 and 255 alone.
 */
export function gifFile(side: number, organ: OrganName, id: string): Buffer {
  const pixels = draw(side, (drawn, at) => (inside(organ, id, drawn, at) ? 255 : 0));
  const word = (value: number) => [value & 255, value >> 8];
  const ramp = Array.from({ length: 256 }, (_, level) => [level, level, level]).flat();
  const head = [...Buffer.from('GIF89a'), ...word(side), ...word(side), 0xf7, 189, 0, ...ramp];
  const control = [0x21, 0xf9, 4, 0, 0, 0, 0, 0];
  const frame = [0x2c, 0, 0, 0, 0, ...word(side), ...word(side), 0, 8];
  const data = lzw(pixels);
  const blocks: Buffer[] = [];
  for (let at = 0; at < data.length; at += 255) {
    const block = data.subarray(at, at + 255);
    blocks.push(Buffer.from([block.length]), block);
  }
  return Buffer.concat([Buffer.from([...head, ...control, ...frame]), ...blocks, Buffer.from([0, 0x3b])]);
}

/** GIF's variable-length LZW with 256 symbols; the dictionary starts anew when its 4096 entries are used. */
function lzw(pixels: Uint16Array): Buffer {
  const [clear, end] = [256, 257];
  const bytes: number[] = [];
  let [bits, held] = [0, 0];
  let [width, next] = [9, 258];
  let codes = new Map<number, number>();
  const emit = (code: number) => {
    bits |= code << held;
    for (held += width; held >= 8; held -= 8, bits >>>= 8) bytes.push(bits & 255);
  };
  emit(clear);
  let prefix = pixels[0]!;
  for (const value of pixels.subarray(1)) {
    const known = codes.get(prefix * 256 + value);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    emit(prefix);
    if (next < 4096) {
      if (next === 1 << width) width += 1;
      codes.set(prefix * 256 + value, next++);
    } else {
      emit(clear);
      [codes, width, next] = [new Map(), 9, 258];
    }
    prefix = value;
  }
  emit(prefix);
  emit(end);
  if (held > 0) bytes.push(bits & 255);
  return Buffer.from(bytes);
}

/** An 8-bit palette PNG whose palette runs from white to black: it shows low values bright. */
export function reversedPng(side: number, values: Uint8Array): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(Array.from({ length: 256 }, (_, i) => [255 - i, 255 - i, 255 - i]).flat());
  const rows = Buffer.alloc(side * (side + 1));
  for (let row = 0; row < side; row++)
    rows.set(values.subarray(row * side, (row + 1) * side), row * (side + 1) + 1);
  const parts = [
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]);
}

/** Grey levels of a conversion that stretches what it finds to 0..255. */
export function stretched(values: Uint16Array): Uint8Array {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return Uint8Array.from(values, (value) => Math.round((255 * (value - low)) / (high - low)));
}

/** A grey PNG of 8 or 16 bits, by the type of the values. */
export function greyPng(side: number, values: Uint8Array | Uint16Array): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 1 } as const;
  return sharp(values, { raw })
    .toColourspace(values instanceof Uint8Array ? 'b-w' : 'grey16')
    .png()
    .toBuffer();
}

/** Writes files below a new folder. */
export function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const root = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** The two archives as they unpack, with an extra level; raw images are full-size by their format. */
export function original(ids: readonly string[]): Record<string, Buffer> {
  return Object.fromEntries(
    ids.flatMap((id) => {
      const fold = Number(id.slice(-3)) % 2 === 1 ? 'fold1' : 'fold2';
      return [
        [`All247images/${id}.IMG`, rawFile(dirty(id, density(id, 2048)))],
        ...(['left lung', 'right lung'] as const).map((organ) => [
          `scr/scratch/${fold}/masks/${organ}/${id}.gif`,
          gifFile(1024, organ, id),
        ]),
      ];
    }),
  ) as Record<string, Buffer>;
}
