import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePng, readImage, readMask, writePng, type Image } from '../../../core/index.ts';
import { temporaryFolder } from '../../../core/testing/context.ts';
import { saved } from './support.ts';

const path = join(temporaryFolder(), 'picture.png');

describe('writePng', () => {
  it('loses nothing of an image, grey or RGB', async () => {
    const side = fc.integer({ min: 1, max: 12 });
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        fc.constantFrom(1 as const, 3 as const),
        fc.infiniteStream(fc.nat(255)),
        async (h, w, channels, stream) => {
          const data = Float32Array.from({ length: h * w * channels }, () => stream.next().value);
          await writePng(path, { shape: [h, w, channels], data });
          expect(await readImage(path, { channels })).toEqual({ shape: [h, w, channels], data });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('uses 16 bits for values above 255', async () => {
    await writePng(path, { shape: [1, 3, 1], data: Float32Array.from([0, 4095, 65535]) });
    const { data } = await readImage(path, { channels: 1 });
    expect([...data].map((value) => Math.round(value * 257))).toEqual([0, 4095, 65535]);
  });

  it('writes a mask in black and white, which reads back', async () => {
    const mask = { shape: [2, 3] as const, data: Uint8Array.from([0, 1, 0, 1, 1, 0]) };
    await writePng(path, mask);
    expect(await readMask(path, { threshold: 128 })).toEqual(mask);
    expect([...(await readImage(path, { channels: 1 })).data]).toEqual([0, 255, 0, 255, 255, 0]);
  });

  it('spreads several classes over the grey levels', async () => {
    const mask = { shape: [1, 4] as const, data: Uint8Array.from([0, 1, 2, 3]) };
    const { data } = await readImage(
      await saved('m.png', Buffer.from(await encodePng(mask, { classes: 4 }))),
      { channels: 1 },
    );
    expect([...data]).toEqual([0, 85, 170, 255]);
  });

  it('writes equal bytes for equal pictures', async () => {
    const image: Image = {
      shape: [40, 40, 3],
      data: Float32Array.from({ length: 4800 }, (_, i) => (i * i) % 256),
    };
    await writePng(path, image);
    expect(Buffer.compare(await readFile(path), Buffer.from(await encodePng(image)))).toBe(0);
  });

  it.each([0.5, -1, 65536, NaN, Infinity])('refuses the value %d', async (value) => {
    const image: Image = { shape: [1, 2, 1], data: Float32Array.from([7, value]) };
    await expect(encodePng(image)).rejects.toMatchObject({
      code: 'IMAGE_NOT_WHOLE',
      parts: { received: String(value) },
    });
  });
});
