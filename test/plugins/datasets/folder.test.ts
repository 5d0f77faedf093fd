import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../core/testing/context.ts';
import { IGNORED } from '../../../core/index.ts';
import { datasetContract } from '../../../core/testing/index.ts';
import folder from '../../../plugins/datasets/folder.ts';
import { bmp24, dataContext, fill, maskPicture, pairOf, picture } from '../../core/images/support.ts';

const options = {
  images: 'img/*.png',
  masks: 'mask/*_mask.png',
  trainImages: null,
  trainMasks: null,
  testFraction: 1,
  manifest: null,
  classes: null,
  ignore: null,
  allowPartial: false,
  size: 16,
  channels: 3 as const,
  scoring: 'resized' as const,
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

  it.each(['bmp', 'tiff', 'gif', 'jpg', 'webp'])('reads %s images', async (format) => {
    const root = temporaryFolder();
    await fill(root, { 'mask/a_mask.png': pairOf(0).mask });
    await mkdir(join(root, 'img'));
    const { data, info } = await pairOf(0).image.raw().toBuffer({ resolveWithObject: true });
    if (format === 'bmp') await writeFile(join(root, 'img/a.bmp'), bmp24(data, info));
    else await fill(root, { [`img/a.${format}`]: pairOf(0).image });
    const plain = await fill(temporaryFolder(), {
      'img/a.png': pairOf(0).image,
      'mask/a_mask.png': pairOf(0).mask,
    });
    const { image } = await (await load(root, { images: `img/*.${format}` })).test.get(0);
    const reference = await (await load(plain)).test.get(0);
    const differences = image.data.map((value, i) => Math.abs(value - reference.image.data[i]!));
    expect(Math.max(...differences)).toBeLessThan(format === 'bmp' ? 1 : 40);
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

/** Stripes of the values 0, 1, 2 and 9, six columns each. */
const stripes = () => picture([20, 24, 1], (_row, column) => [0, 1, 2, 9][Math.floor(column / 6)]!);

describe('folder with classes', () => {
  const classes = { 1: 'lung', 2: 'heart' };
  const root = fill(temporaryFolder(), { 'img/a.png': pairOf(0).image, 'mask/a_mask.png': stripes() });

  it('gives each named value its class, and marks what is to be ignored', async () => {
    const data = await load(await root, { classes, ignore: 9, size: 24 });
    expect(data.classes).toEqual(['background', 'lung', 'heart']);
    const { mask } = await data.test.get(0);
    expect([...mask.data.subarray(0, 24)]).toEqual(
      [0, 1, 2, IGNORED].flatMap((value) => new Array(6).fill(value)),
    );
  });

  it('lets several values share a class, and a colour be one', async () => {
    const colours = ['000000', 'ff0000', '00ff00', '0000ff'];
    const channel = (column: number, c: number) =>
      parseInt(colours[Math.floor(column / 6)]!.slice(2 * c, 2 * c + 2), 16);
    const coloured = picture([20, 24, 3], (_row, column, c) => channel(column, c));
    const made = await fill(temporaryFolder(), { 'img/a.png': pairOf(0).image, 'mask/a_mask.png': coloured });
    const names = { '#FF0000': 'lung', '#00ff00': 'heart', '#0000ff': 'lung' };
    const { mask } = await (await load(made, { classes: names, size: 24 })).test.get(0);
    expect([3, 9, 15, 21].map((column) => mask.data[column])).toEqual([0, 1, 2, 1]);
  });

  it('refuses a value that is no class, saying where it is', async () => {
    const data = await load(await root, { classes });
    await expect(data.test.get(0)).rejects.toMatchObject({
      code: 'MASK_VALUES',
      parts: {
        where: expect.stringMatching(/a_mask\.png, row 0, column 18$/),
        expected: 'one of 0, 1, 2',
        received: '9',
      },
    });
  });

  it('refuses to name what is no value', async () => {
    await expect(load(await root, { classes: { lung: '1' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      parts: { received: "'lung'" },
    });
  });
});

describe('folder with a manifest', () => {
  const listed = async (csv: string) => {
    const root = await dataFolder(['a', 'b', 'c', 'd']);
    await writeFile(join(root, 'list.csv'), csv);
    return root;
  };
  const loaded = async (csv: string, change = {}) =>
    load(await listed(csv), { manifest: 'list.csv', ...change });

  it('takes id, group, split and spacing from it, in any order of columns', async () => {
    const data = await loaded(
      '\ufeffimage, mask ,Split,group,id,spacing,name\r\n' +
        'img/a.png,mask/a_mask.png,train,p1,one,,"Doe, Jane"\r\n' +
        '\r\n' +
        'img/b.png,mask/b_mask.png,test,p2,two,0.5 x 0.4,\r\n' +
        'img/c.png,mask/c_mask.png,test,p2,,0.8,\r\n',
    );
    expect([data.train.ids, data.test.ids]).toEqual([['one'], ['two', 'img/c']]);
    const [first, second] = [await data.test.get(0), await data.test.get(1)];
    expect([first.group, second.group]).toEqual(['p2', 'p2']);
    // 20 rows and 24 columns become 16 and 16.
    expect(first.spacing).toEqual([(0.5 * 20) / 16, (0.4 * 24) / 16]);
    expect(second.spacing).toEqual([(0.8 * 20) / 16, (0.8 * 24) / 16]);
    expect(JSON.stringify([first, data.notes])).not.toContain('Doe');
  });

  it('splits by group what names no split, and reads semicolons', async () => {
    const lines = ['a', 'b', 'c', 'd'].map((id, i) => `${id};img/${id}.png;mask/${id}_mask.png;p${i % 2}`);
    const data = await loaded(['id;image;mask;group', ...lines].join('\n'), { testFraction: 0.7 });
    const groups = async (part: 'train' | 'test') =>
      new Set(await Promise.all(data[part].ids.map(async (_, i) => (await data[part].get(i)).group)));
    const [train, test] = [await groups('train'), await groups('test')];
    expect([...train].filter((group) => test.has(group))).toEqual([]);
    expect(data.train.ids.length + data.test.ids.length).toBe(4);
  });

  it.each([
    ['a line without a mask', 'image,mask\nimg/a.png,', 'list.csv:2'],
    ['a line with too many fields', 'image,mask\nimg/a.png,mask/a_mask.png,x', 'list.csv'],
    ['an unknown split', 'image,mask,split\nimg/a.png,mask/a_mask.png,val', 'list.csv:2'],
    ['a spacing of nothing', 'image,mask,spacing\nimg/a.png,mask/a_mask.png,0', 'list.csv:2'],
    ['an id twice', 'id,image,mask\nx,img/a.png,mask/a_mask.png\nx,img/b.png,mask/b_mask.png', 'list.csv:3'],
  ])('refuses %s', async (_what, csv, place) => {
    const error = await loaded(csv).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DATASET_INVALID' });
    expect(String(error)).toContain(place);
  });

  it('refuses to miss a file', async () => {
    await expect(loaded('image,mask\nimg/z.png,mask/a_mask.png')).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
    });
    await expect(loaded('image,mask\nimg/a.png,mask/z.png')).rejects.toMatchObject({ code: 'MASK_MISSING' });
    await expect(load(await dataFolder(['a']), { manifest: 'none.csv' })).rejects.toMatchObject({
      code: 'DATASET_INVALID',
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
