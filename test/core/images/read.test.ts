import { describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { readImage, readMask } from '../../../core/index.ts';
import { maskPicture, picture, saved } from './support.ts';

const ramp = (row: number, column: number) => 16 * row + column;
const levels = Float32Array.from({ length: 256 }, (_, i) => i);

describe('readImage', () => {
  it('keeps every grey level of 8-bit grey PNG and TIFF', async () => {
    const grey = picture([16, 16, 1], ramp);
    for (const path of [
      await saved('a.png', grey.clone().png().toBuffer()),
      await saved('a.tif', grey.clone().tiff({ compression: 'lzw' }).toBuffer()),
    ]) {
      const image = await readImage(path, { channels: 1 });
      expect(image.shape).toEqual([16, 16, 1]);
      expect(image.data).toEqual(levels);
    }
  });

  it('repeats grey for three channels', async () => {
    const path = await saved('a.png', picture([16, 16, 1], ramp).png().toBuffer());
    const { shape, data } = await readImage(path, { channels: 3 });
    expect(shape).toEqual([16, 16, 3]);
    expect(data).toEqual(Float32Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)));
  });

  it('looks up the colours of a palette', async () => {
    const colours = [
      [200, 10, 30],
      [0, 90, 250],
    ] as const;
    const encoded = await picture([4, 4, 3], (row, column, c) => colours[(row + column) % 2]![c]!)
      .png({ palette: true, quality: 100, dither: 0 })
      .toBuffer();
    expect((await sharp(encoded).metadata()).isPalette).toBe(true);
    const { data } = await readImage(await saved('a.png', encoded), { channels: 3 });
    expect([...data.slice(0, 6)]).toEqual([200, 10, 30, 0, 90, 250]);
  });

  it('scales 16-bit grey to 0..255 and keeps the fraction', async () => {
    const deep = Uint16Array.from([0, 257, 300, 65535]);
    const encoded = await sharp(deep, { raw: { width: 2, height: 2, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(encoded).metadata()).depth).toBe('ushort');
    const { data } = await readImage(await saved('a.png', encoded), { channels: 1 });
    expect([...data]).toEqual([...Float32Array.from([0, 1, 300 / 257, 255])]);
  });

  it('reads 16-bit colour', async () => {
    const deep = Uint16Array.from([0, 25700, 65535, 257, 514, 771]);
    const raw = sharp(deep, { raw: { width: 2, height: 1, channels: 3 } }).toColourspace('rgb16');
    const { data } = await readImage(await saved('a.png', raw.png().toBuffer()), { channels: 3 });
    expect([...data]).toEqual([0, 100, 255, 1, 2, 3]);
  });

  it('drops alpha instead of blending', async () => {
    const rgba = sharp(Uint8Array.from([10, 20, 30, 0, 40, 50, 60, 128]), {
      raw: { width: 2, height: 1, channels: 4 },
    });
    const { data } = await readImage(await saved('a.png', rgba.png().toBuffer()), { channels: 3 });
    expect([...data]).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('turns colour into luma', async () => {
    const path = await saved(
      'a.png',
      picture([1, 1, 3], (_r, _c, channel) => [100, 150, 200][channel]!)
        .png()
        .toBuffer(),
    );
    const { data } = await readImage(path, { channels: 1 });
    expect(data[0]).toBeCloseTo(0.299 * 100 + 0.587 * 150 + 0.114 * 200, 4);
  });

  it('applies the EXIF orientation, to JPEG and to PNG', async () => {
    // 6: the stored picture must be turned by a quarter clockwise, so its left edge becomes the top.
    const leftBright = picture([8, 16, 1], (_row, column) => (column < 8 ? 250 : 5)).withMetadata({
      orientation: 6,
    });
    for (const path of [
      await saved('a.jpg', leftBright.clone().jpeg({ quality: 100 }).toBuffer()),
      await saved('a.png', leftBright.clone().png().toBuffer()),
    ]) {
      const { shape, data } = await readImage(path, { channels: 1 });
      expect(shape).toEqual([16, 8, 1]);
      expect(data[0]).toBeGreaterThan(240);
      expect(data[15 * 8]).toBeLessThan(15);
    }
  });

  it('gives with `size` what resizing the whole image gives', async () => {
    const path = await saved(
      'a.png',
      picture([30, 41, 3], (row, column, c) => (row * 7 + column * 5 + c * 60) % 256)
        .png()
        .toBuffer(),
    );
    const small = await readImage(path, { channels: 3, size: 16 });
    const { resizeImage } = await import('../../../core/index.ts');
    const whole = resizeImage(await readImage(path, { channels: 3 }), 16, 16);
    expect(small).toEqual(whole);
  });

  it('names a missing file', async () => {
    await expect(readImage('/nowhere/a.png', { channels: 1 })).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      parts: { where: '/nowhere/a.png' },
    });
  });

  it.each([
    ['text', Buffer.from('this is no image')],
    ['nothing', Buffer.alloc(0)],
  ])('refuses a file that holds %s', async (_what, bytes) => {
    const path = await saved('a.png', bytes);
    await expect(readImage(path, { channels: 1 })).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { where: path },
    });
  });

  it.each(['png', 'jpeg'] as const)('refuses a truncated %s file', async (format) => {
    const noisy = picture([64, 64, 3], (row, column, c) => (row * 131 + column * 71 + c * 13) % 256);
    const bytes = await noisy.toFormat(format).toBuffer();
    const path = await saved(`a.${format}`, bytes.subarray(0, bytes.length / 2));
    await expect(readImage(path, { channels: 3 })).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' });
  });

  it('refuses samples that are neither 8 nor 16 bits wide', async () => {
    const path = await saved('a.tif', floatTiff());
    await expect(readImage(path, { channels: 1 })).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { received: 'samples of type float' },
    });
  });

  it('refuses more pixels than allowed, before decoding them', async () => {
    const path = await saved(
      'a.png',
      picture([10, 20, 1], () => 0)
        .png()
        .toBuffer(),
    );
    await expect(readImage(path, { channels: 1, maxPixels: 199 })).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      parts: { received: '20 x 10 = 200 pixels' },
    });
    expect((await readImage(path, { channels: 1, maxPixels: 200 })).shape).toEqual([10, 20, 1]);
  });
});

describe('readMask', () => {
  it.each(['png', 'gif', 'tiff'] as const)('reads a %s mask', async (format) => {
    const inside = (row: number, column: number) => row > 2 && column < 5;
    const path = await saved(`m.${format}`, maskPicture(9, 7, inside).toFormat(format).toBuffer());
    const { shape, data } = await readMask(path, { threshold: 128 });
    expect(shape).toEqual([9, 7]);
    expect([...data]).toEqual(Array.from({ length: 63 }, (_, i) => Number(inside(Math.floor(i / 7), i % 7))));
  });

  it('takes levels above the threshold, not those at it', async () => {
    const path = await saved(
      'm.png',
      picture([1, 4, 1], (_row, column) => [0, 128, 129, 255][column]!)
        .png()
        .toBuffer(),
    );
    expect([...(await readMask(path, { threshold: 128 })).data]).toEqual([0, 0, 1, 1]);
    expect([...(await readMask(path, { threshold: 127 })).data]).toEqual([0, 1, 1, 1]);
  });

  it('survives the ringing of a JPEG mask', async () => {
    const inside = (row: number, column: number) => (row - 16) ** 2 + (column - 16) ** 2 < 80;
    const path = await saved('m.jpg', maskPicture(32, 32, inside).jpeg({ quality: 90 }).toBuffer());
    const { data } = await readMask(path, { threshold: 128 });
    const wrong = data.filter((value, i) => value !== Number(inside(Math.floor(i / 32), i % 32)));
    expect(wrong.length).toBeLessThan(5);
  });

  it('accepts an empty mask', async () => {
    const path = await saved(
      'm.png',
      maskPicture(4, 4, () => false)
        .png()
        .toBuffer(),
    );
    expect([...(await readMask(path, { threshold: 128 })).data]).toEqual(new Array(16).fill(0));
  });

  it('refuses a mask of 0 and 1 under the usual threshold, and reads it with threshold 0', async () => {
    const path = await saved(
      'm.png',
      picture([2, 2, 1], (row) => row)
        .png()
        .toBuffer(),
    );
    await expect(readMask(path, { threshold: 128 })).rejects.toMatchObject({
      code: 'MASK_VALUES',
      parts: { where: path, received: 'grey levels 0 to 1' },
    });
    expect([...(await readMask(path, { threshold: 0 })).data]).toEqual([0, 0, 1, 1]);
  });

  it('names a missing mask', async () => {
    await expect(readMask('/nowhere/m.png', { threshold: 128 })).rejects.toMatchObject({
      code: 'MASK_MISSING',
    });
  });
});

/** The smallest TIFF file with one 32-bit float sample. */
function floatTiff(): Buffer {
  const tags = [
    [256, 1],
    [257, 1],
    [258, 32],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, 1],
    [279, 4],
    [339, 3],
  ] as const;
  const bytes = Buffer.alloc(12 + 2 + 12 * tags.length + 4);
  bytes.write('II', 0, 'latin1');
  bytes.writeUInt16LE(42, 2);
  bytes.writeUInt32LE(12, 4);
  bytes.writeFloatLE(0.5, 8);
  bytes.writeUInt16LE(tags.length, 12);
  tags.forEach(([tag, value], i) => {
    const at = 14 + 12 * i;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(4, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  return bytes;
}
