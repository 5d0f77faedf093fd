import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../core/testing/context.ts';
import { datasetContract } from '../../../core/testing/index.ts';
import folder from '../../../plugins/datasets/folder.ts';
import { dataContext, fill, maskPicture, pairOf } from '../../core/images/support.ts';

const options = {
  images: 'img/*.png',
  masks: 'mask/*_mask.png',
  trainImages: null,
  trainMasks: null,
  testFraction: 1,
  allowPartial: false,
  size: 16,
  channels: 3 as const,
  threshold: 128,
};

async function dataFolder(ids: readonly string[], images = 'img/', masks = 'mask/'): Promise<string> {
  const root = temporaryFolder();
  for (const [i, id] of ids.entries()) {
    const { image, mask } = pairOf(i);
    await fill(root, { [`${images}${id}.png`]: image, [`${masks}${id}_mask.png`]: mask });
  }
  return root;
}

const load = (root: string, change: Partial<typeof options> | Record<string, unknown> = {}) =>
  folder.load({ ...options, root, ...change }, dataContext());

datasetContract(folder, {
  options: {
    ...options,
    testFraction: 0.5,
    root: await dataFolder(Array.from({ length: 12 }, (_, i) => `c${i}`)),
  },
  changed: { size: 20 },
});

describe('folder', () => {
  it('pairs by what the star matches, in natural order', async () => {
    const { test, train } = await load(await dataFolder(['p10', 'p9', 'p1']));
    expect(test.ids).toEqual(['p1', 'p9', 'p10']);
    expect(train.ids).toEqual([]);
  });

  it('finds root relative to the configuration', async () => {
    const root = await dataFolder(['a']);
    const data = await folder.load({ ...options, root: 'sub' }, dataContext(join(await moved(root))));
    expect(data.test.ids).toEqual(['a']);
  });

  it('tells images from masks in one folder', async () => {
    const root = await dataFolder(['a', 'b'], '', '');
    const { test } = await load(root, { images: '*.png', masks: '*_mask.png' });
    expect(test.ids).toEqual(['a', 'b']);
  });

  it('reads GIF masks', async () => {
    const root = temporaryFolder();
    await fill(root, { 'img/a.png': pairOf(0).image, 'mask/a.gif': pairOf(0).mask });
    const { mask } = await (await load(root, { masks: 'mask/*.gif' })).test.get(0);
    expect(new Set(mask.data)).toEqual(new Set([0, 1]));
  });

  it('splits by id, so that adding files moves none', async () => {
    const ids = Array.from({ length: 24 }, (_, i) => `case${i}`);
    const small = await load(await dataFolder(ids.slice(0, 12)), { testFraction: 0.5 });
    const large = await load(await dataFolder(ids), { testFraction: 0.5 });
    expect(small.train.ids.length).toBeGreaterThan(0);
    expect(small.test.ids.length).toBeGreaterThan(0);
    expect([...large.train.ids, ...large.test.ids].sort()).toEqual(ids.toSorted());
    for (const part of ['train', 'test'] as const)
      expect(large[part].ids).toEqual(expect.arrayContaining([...small[part].ids]));
  });

  it('takes separate training patterns', async () => {
    const root = await dataFolder(['a', 'b']);
    await fill(root, { 'train/x.png': pairOf(5).image, 'train/x_mask.png': pairOf(5).mask });
    const data = await load(root, { trainImages: 'train/*.png', trainMasks: 'train/*_mask.png' });
    expect(data.train.ids).toEqual(['x']);
    expect(data.test.ids).toEqual(['a', 'b']);
  });

  it('refuses images without mask, or skips and reports them', async () => {
    const root = await dataFolder(['a']);
    await fill(root, { 'img/b.png': pairOf(1).image });
    await expect(load(root)).rejects.toMatchObject({
      code: 'MASK_MISSING',
      parts: { expected: "mask/b_mask.png for 'b', and so on", received: '1 pairs, and alone: b' },
    });
    const data = await load(root, { allowPartial: true });
    expect(data.test.ids).toEqual(['a']);
    expect(data.notes).toEqual(['1 images have no mask and were skipped: b']);
  });

  it('refuses masks without image', async () => {
    const root = await dataFolder(['a']);
    await fill(root, { 'mask/z_mask.png': pairOf(1).mask });
    await expect(load(root)).rejects.toMatchObject({
      code: 'MASK_WITHOUT_IMAGE',
      parts: { expected: "img/z.png for 'z', and so on" },
    });
  });

  it('refuses a mask of another size', async () => {
    const root = await dataFolder(['a']);
    await fill(root, { 'mask/a_mask.png': maskPicture(7, 7, () => true) });
    await expect(load(root)).rejects.toMatchObject({ code: 'MASK_SIZE' });
  });

  it.each([
    ['an empty folder', temporaryFolder()],
    ['no folder', '/nowhere'],
  ])('refuses %s', async (_what, root) => {
    await expect(load(root)).rejects.toMatchObject({ code: 'DATASET_EMPTY', parts: { where: root } });
  });

  it('refuses a split that leaves no test image', async () => {
    await expect(load(await dataFolder(['a']), { testFraction: 1e-9 })).rejects.toMatchObject({
      code: 'DATASET_EMPTY',
      parts: { received: '1 training and 0 test images' },
    });
  });

  it('refuses a damaged image', async () => {
    const root = await dataFolder(['a']);
    await writeFile(join(root, 'img/a.png'), 'damaged');
    await expect(load(root)).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { where: join(root, 'img/a.png') },
    });
  });
});

/** A folder that holds `root` under the name `sub`. */
async function moved(root: string): Promise<string> {
  const { symlink } = await import('node:fs/promises');
  const parent = temporaryFolder();
  await symlink(root, join(parent, 'sub'));
  return parent;
}
