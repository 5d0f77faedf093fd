import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readImage, readMask } from '../../../core/index.ts';
import { bmp, picture, saved } from './support.ts';

/** Reads a file and tells the error, the time and how far the memory of the process grew. */
async function attempt(name: string, bytes: Buffer) {
  const path = await saved(name, bytes);
  const [start, before] = [performance.now(), process.memoryUsage().rss];
  const outcome = await readImage(path, { channels: 1 }).catch((error: unknown) => error);
  const megabytes = (process.memoryUsage().rss - before) / 2 ** 20;
  return { path, outcome, seconds: (performance.now() - start) / 1000, megabytes };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

function png(width: number, height: number, ...chunks: Buffer[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

const SIDE = 60_000;
const word = (value: number) => [value & 255, value >> 8];

/** The beginning of a JPEG file of that many pixels. */
function jpeg(): Buffer {
  const size = [SIDE >> 8, SIDE & 255, SIDE >> 8, SIDE & 255];
  return Buffer.from([
    0xff,
    0xd8,
    0xff,
    0xc0,
    0,
    11,
    8,
    ...size,
    1,
    1,
    0x11,
    0,
    0xff,
    0xda,
    0,
    8,
    1,
    1,
    0,
    0,
    63,
    0,
    0,
  ]);
}

function tiff(): Buffer {
  const tags = [
    [256, SIDE],
    [257, SIDE],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, SIDE],
    [279, 1],
  ] as const;
  const entries = tags.flatMap(([tag, value]) => [
    ...word(tag),
    4,
    0,
    1,
    0,
    0,
    0,
    ...word(value & 0xffff),
    0,
    0,
  ]);
  return Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0, ...word(tags.length), ...entries, 0, 0, 0, 0]);
}

const zeros = (megabytes: number) => deflateSync(Buffer.alloc(megabytes * 2 ** 20));

describe('an image of 60,000 x 60,000 pixels', () => {
  const files: [string, Buffer][] = [
    ['a.png', png(SIDE, SIDE, chunk('IDAT', zeros(1)))],
    ['a.jpg', jpeg()],
    ['a.tif', tiff()],
    ['a.gif', Buffer.from([...Buffer.from('GIF89a'), ...word(SIDE), ...word(SIDE), 0, 0, 0, 0x3b])],
    ['a.bmp', bmp(SIDE, -SIDE, 24, [], new Uint8Array(16))],
  ];

  it.each(files)('is refused in %s within a second, before it takes memory', async (name, bytes) => {
    const { outcome, path, seconds, megabytes } = await attempt(name, bytes);
    expect(outcome).toMatchObject({ name: 'RobustError', parts: { where: path } });
    if (!name.endsWith('gif'))
      expect(outcome).toMatchObject({
        code: 'IMAGE_TOO_LARGE',
        parts: { received: '60000 x 60000 = 3600000000 pixels' },
      });
    expect(seconds).toBeLessThan(5);
    expect(megabytes).toBeLessThan(100);
  });
});

describe('a small file that inflates to much', () => {
  it.each([
    ['pixels', png(8, 8, chunk('IDAT', zeros(256)))],
    [
      'text',
      png(
        8,
        8,
        chunk('zTXt', Buffer.concat([Buffer.from('a\0\0', 'latin1'), zeros(256)])),
        chunk('IDAT', zeros(1)),
      ),
    ],
    [
      'a colour profile',
      png(
        8,
        8,
        chunk('iCCP', Buffer.concat([Buffer.from('a\0\0', 'latin1'), zeros(256)])),
        chunk('IDAT', zeros(1)),
      ),
    ],
  ])('as %s takes neither memory nor time', async (_what, bytes) => {
    const { outcome, seconds, megabytes } = await attempt('a.png', bytes);
    // Either answer is fine: 64 black pixels, or that the file is no image.
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'IMAGE_UNREADABLE' });
    else expect(outcome).toEqual({ shape: [8, 8, 1], data: new Float32Array(64) });
    expect(seconds).toBeLessThan(5);
    expect(megabytes).toBeLessThan(150);
  });
});

describe('what is no image', () => {
  it('is refused when it is a drawing that could name other files', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>';
    expect((await attempt('a.png', Buffer.from(svg))).outcome).toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { received: 'a file of the format svg' },
    });
  });

  it('is refused wherever a valid file is cut or changed, and never stops the process', async () => {
    const source = picture([12, 12, 3], (row, column, c) => (row * 37 + column * 11 + c * 90) % 256);
    const whole = [
      ['a.png', await source.clone().png().toBuffer()],
      ['a.gif', await source.clone().gif().toBuffer()],
      ['a.tif', await source.clone().tiff().toBuffer()],
      [
        'a.bmp',
        bmp(
          12,
          12,
          8,
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          new Uint8Array(144),
        ),
      ],
    ] as const;
    for (const [name, bytes] of whole) {
      for (let turn = 0; turn < 24; turn++) {
        const changed = Buffer.from(bytes);
        const at = (turn * 7919 + 13) % bytes.length;
        changed[at] = changed[at]! ^ (1 << (turn % 8));
        const { outcome } = await attempt(name, turn % 3 === 0 ? bytes.subarray(0, at) : changed);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'RobustError' });
      }
    }
  });
});

describe('bitmaps', () => {
  const palette = [
    [0, 0, 0],
    [10, 20, 30],
    [200, 100, 50],
  ] as const;
  const padded = (rows: number[][]) => Uint8Array.from(rows.flat());

  it.each([1, -1])('with a palette keep its colours, stored from either end (%d)', async (sign) => {
    const rows = [
      [1, 2, 0, 0],
      [2, 1, 1, 0],
    ];
    const bytes = bmp(3, 2 * sign, 8, palette, padded(sign > 0 ? rows.toReversed() : rows));
    const { data, shape } = await readImage(await saved('a.bmp', bytes), { channels: 3 });
    expect(shape).toEqual([2, 3, 3]);
    const indices = [1, 2, 0, 2, 1, 1];
    expect([...data]).toEqual(indices.flatMap((index) => palette[index]!));
  });

  it('of one bit are masks', async () => {
    const bytes = bmp(
      10,
      2,
      1,
      [
        [0, 0, 0],
        [255, 255, 255],
      ],
      padded([
        [0b11000000, 0b01000000, 0, 0],
        [0, 0, 0, 0],
      ]),
    );
    const { data } = await readMask(await saved('a.bmp', bytes), { threshold: 128 });
    expect([...data.subarray(10)]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect([...data.subarray(0, 10)]).toEqual(new Array(10).fill(0));
  });

  it('that are compressed, of 16 bits, or cut are refused', async () => {
    const cut = bmp(4, 4, 24, [], new Uint8Array(40));
    const deep = bmp(4, 4, 16, [], new Uint8Array(32));
    const packed = bmp(4, 4, 8, [[0, 0, 0]], new Uint8Array(16));
    packed.writeUInt32LE(1, 30);
    const apart = bmp(4, 4, 24, [], new Uint8Array(60));
    apart.writeUInt32LE(66, 10);
    for (const bytes of [cut, deep, packed, apart])
      expect((await attempt('a.bmp', bytes)).outcome).toMatchObject({ code: 'IMAGE_UNREADABLE' });
  });
});
