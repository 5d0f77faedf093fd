import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openPairs, type Pair, type PairFormat } from '../../../core/index.ts';
import { temporaryFolder } from '../../../core/testing/context.ts';
import { dataContext, fill, maskPicture, pairOf } from './support.ts';

const format: PairFormat = { size: 16, channels: 3, threshold: 128 };

async function pairs(...seeds: readonly number[]): Promise<Pair[]> {
  const root = temporaryFolder();
  for (const seed of seeds) {
    const { image, mask } = pairOf(seed);
    await fill(root, { [`${seed}.png`]: image, [`${seed}_m.png`]: mask });
  }
  return seeds.map((seed) => ({
    id: `s${seed}`,
    image: join(root, `${seed}.png`),
    mask: join(root, `${seed}_m.png`),
  }));
}

const splits = (train: readonly Pair[], test: readonly Pair[]) => ({
  train,
  test,
  classes: ['background', 'square'],
  notes: [],
});

describe('openPairs', () => {
  it('gives quantised samples of the wanted size', async () => {
    const data = await openPairs(splits(await pairs(1), await pairs(2, 3)), format, dataContext());
    expect([data.height, data.width, data.channels]).toEqual([16, 16, 3]);
    expect(data.train.ids).toEqual(['s1']);
    expect(data.test.ids).toEqual(['s2', 's3']);
    const { id, image, mask } = await data.test.get(1);
    expect(id).toBe('s3');
    expect(image.shape).toEqual([16, 16, 3]);
    expect(image.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(true);
    expect(mask.shape).toEqual([16, 16]);
    expect(new Set(mask.data)).toEqual(new Set([0, 1]));
    // Inside the square of mask and image alike.
    expect(mask.data[7 * 16 + 6]).toBe(1);
    expect(image.data[(7 * 16 + 6) * 3]).toBeGreaterThan(190);
  });

  it('keeps on demand the native masks of test images, for scoring; pixels then have their native size', async () => {
    const [train, test] = [
      await pairs(1),
      (await pairs(2)).map((pair) => ({ ...pair, spacing: [2, 3] as const })),
    ];
    const ctx = dataContext();
    const data = await openPairs(splits(train, test), { ...format, native: true }, ctx);
    const { reference, mask, spacing } = await data.test.get(0);
    expect([reference?.shape, mask.shape, spacing]).toEqual([
      [20, 24],
      [16, 16],
      [2, 3],
    ]);
    const inside = (at: number) =>
      Math.floor(at / 24) >= 6 && Math.floor(at / 24) < 14 && at % 24 >= 5 && at % 24 < 15;
    expect([...reference!.data]).toEqual(Array.from({ length: 20 * 24 }, (_, at) => Number(inside(at))));
    expect(await data.test.get(0)).toEqual(await data.test.get(0));
    expect((await data.train.get(0)).reference).toBeUndefined();
    const scaled = await openPairs(splits(train, test), format, ctx);
    expect(scaled.fingerprint).not.toBe(data.fingerprint);
    expect((await scaled.test.get(0)).reference).toBeUndefined();
  });

  it('gives samples that callers may change', async () => {
    const data = await openPairs(splits([], await pairs(1)), format, dataContext());
    const first = await data.test.get(0);
    const copy = structuredClone(first);
    first.image.data.fill(0);
    first.mask.data.fill(9);
    expect(await data.test.get(0)).toEqual(copy);
  });

  it('decodes once: afterwards the cache answers, also in a later run', async () => {
    const files = await pairs(1, 2);
    const ctx = dataContext();
    const data = await openPairs(splits([], files), format, ctx);
    const before = [await data.test.get(0), await data.test.get(1)];
    expect(await readdir(join(ctx.cacheDir, 'samples'))).toHaveLength(2);
    const later = await openPairs(splits([], files), format, ctx);
    for (const { image, mask } of files) await Promise.all([rm(image), rm(mask)]);
    expect([await later.test.get(0), await later.test.get(1)]).toEqual(before);
  });

  it('makes a cached sample again when its file has a wrong length', async () => {
    const ctx = dataContext();
    const data = await openPairs(splits([], await pairs(1)), format, ctx);
    const before = await data.test.get(0);
    const [name] = await readdir(join(ctx.cacheDir, 'samples'));
    await writeFile(join(ctx.cacheDir, 'samples', name!), 'short');
    expect(await data.test.get(0)).toEqual(before);
  });

  it('works without a writable cache', async () => {
    const file = join(temporaryFolder(), 'file');
    await writeFile(file, '');
    const data = await openPairs(splits([], await pairs(1)), format, {
      ...dataContext(),
      cacheDir: join(file, 'x'),
    });
    expect((await data.test.get(0)).id).toBe('s1');
  });

  it('has a fingerprint of content, not of place or time', async () => {
    const print = async (files: readonly Pair[], change: Partial<PairFormat> = {}) =>
      (await openPairs(splits([], files), { ...format, ...change }, dataContext())).fingerprint;
    const files = await pairs(1, 2);
    const reference = await print(files);
    await utimes(files[0]!.image, 1, 1);
    expect(await print(files)).toBe(reference);
    expect(await print(await pairs(1, 2))).toBe(reference);
    expect(await print(await pairs(1, 4))).not.toBe(reference);
    expect(await print(files.toReversed())).not.toBe(reference);
    for (const change of [{ size: 17 }, { channels: 1 }, { threshold: 100 }] as const) {
      expect(await print(files, change)).not.toBe(reference);
    }
  });

  it('tells when a test image is also a training image', async () => {
    const data = await openPairs(splits(await pairs(1, 2), await pairs(2, 3)), format, dataContext());
    expect(data.notes).toEqual(['1 test images are also training images: s2']);
  });

  it('refuses a data set without test images', async () => {
    await expect(openPairs(splits(await pairs(1), []), format, dataContext())).rejects.toMatchObject({
      code: 'DATASET_EMPTY',
    });
  });

  it('refuses a mask of another size, naming both files and sizes', async () => {
    const files = await pairs(1);
    await maskPicture(24, 20, () => true).toFile(files[0]!.mask);
    await expect(openPairs(splits([], files), format, dataContext())).rejects.toMatchObject({
      code: 'MASK_SIZE',
      parts: {
        where: files[0]!.mask,
        expected: `24 x 20 pixels, as ${files[0]!.image}`,
        received: '20 x 24 pixels',
      },
    });
  });

  it('compares sizes as they are after the EXIF orientation', async () => {
    const files = await pairs(1);
    const { image, mask } = pairOf(1, 24, 20);
    await image.withMetadata({ orientation: 6 }).toFile(files[0]!.image);
    await mask.toFile(files[0]!.mask);
    await expect(openPairs(splits([], files), format, dataContext())).rejects.toMatchObject({
      code: 'MASK_SIZE',
    });
    await maskPicture(20, 24, () => true).toFile(files[0]!.mask);
    await expect(openPairs(splits([], files), format, dataContext())).resolves.toBeDefined();
  });

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort();
    await expect(openPairs(splits([], await pairs(1)), format, { ...dataContext(), signal })).rejects.toThrow(
      'abort',
    );
  });
});
