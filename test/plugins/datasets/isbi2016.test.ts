import { describe, expect, it } from 'vitest';
import type { Sharp } from 'sharp';
import { temporaryFolder } from '../../../core/testing/context.ts';
import { datasetContract } from '../../../core/testing/index.ts';
import isbi2016 from '../../../plugins/datasets/isbi2016.ts';
import { dataContext, fill, maskPicture, pairOf, picture } from '../../core/images/support.ts';

const options = {
  allowPartial: true,
  exclude: [] as string[],
  size: 16,
  channels: 3 as const,
  scoring: 'resized' as 'resized' | 'native',
};
const name = (part: string) => `ISBI2016_ISIC_Part1_${part}`;
const idOf = (n: number) => `ISIC_${String(n).padStart(7, '0')}`;

/** The official layout with the given numbers of files. */
async function challenge(train: readonly number[], test: readonly number[]): Promise<string> {
  const files: Record<string, Sharp> = {};
  for (const [part, numbers] of [
    ['Training', train],
    ['Test', test],
  ] as const) {
    for (const n of numbers) {
      const { image, mask } = pairOf(n);
      files[`${name(`${part}_Data`)}/${idOf(n)}.jpg`] = image;
      files[`${name(`${part}_GroundTruth`)}/${idOf(n)}_Segmentation.png`] = mask;
    }
  }
  return fill(temporaryFolder(), files);
}

const load = (root: string, change: Partial<typeof options> = {}) =>
  isbi2016.load({ ...options, root, ...change }, dataContext());

datasetContract(isbi2016, {
  options: { ...options, root: await challenge([1, 2, 4], [3, 5]) },
  changed: { channels: 1 },
});

describe('isbi2016', () => {
  it('reads the official layout and ignores other files', async () => {
    const root = await challenge([4, 2], [3]);
    await fill(root, {
      [`${name('Training_Data')}/ISIC_0000002_superpixels.png`]: pairOf(2).mask,
      [`${name('Training_Data')}/cover.jpg`]: pairOf(2).image,
    });
    const data = await load(root);
    expect(data.train.ids).toEqual(['ISIC_0000002', 'ISIC_0000004']);
    expect(data.test.ids).toEqual(['ISIC_0000003']);
    expect(data.classes).toEqual(['background', 'lesion']);
    expect((await data.test.get(0)).image.shape).toEqual([16, 16, 3]);
  });

  it('scores at native size on demand', async () => {
    const data = await load(await challenge([1], [3]), { scoring: 'native' });
    expect((await data.test.get(0)).reference?.shape).toEqual([20, 24]);
  });

  it('reports with allowPartial what is missing', async () => {
    const root = await challenge([1, 2], [3]);
    await fill(root, { [`${name('Test_Data')}/ISIC_0000009.jpg`]: pairOf(9).image });
    expect((await load(root)).notes).toEqual([
      'Training: 898 of 900 pairs are missing',
      'Test: 378 of 379 pairs are missing; 1 images without mask (ISIC_0000009)',
    ]);
  });

  it('refuses a partial copy otherwise, and says what to do', async () => {
    const root = await challenge([1], [3]);
    const error = await load(root, { allowPartial: false }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'DATASET_INCOMPLETE',
      parts: {
        where: root,
        received: 'Training: 899 of 900 pairs are missing. Test: 378 of 379 pairs are missing',
      },
    });
    for (const hint of ['CC-0', 'allowPartial: true', 'challenge.isic-archive.com', '_Segmentation.png']) {
      expect(String(error)).toContain(hint);
    }
  });

  it('refuses an empty folder even with allowPartial', async () => {
    await expect(load(temporaryFolder())).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
  });

  it('leaves out what is excluded, and says so', async () => {
    const data = await load(await challenge([1, 2], [3, 5]), { exclude: ['ISIC_0000002', 'ISIC_0000005'] });
    expect([data.train.ids, data.test.ids]).toEqual([['ISIC_0000001'], ['ISIC_0000003']]);
    expect(data.notes).toContain('left out by configuration: ISIC_0000002, ISIC_0000005');
  });

  it('knows the masks that were judged wrong', async () => {
    const data = await load(await challenge([96, 97, 11356], [10588, 10589]), { exclude: ['doubted'] });
    expect([data.train.ids, data.test.ids]).toEqual([['ISIC_0000097'], ['ISIC_0010589']]);
  });

  it('cuts the grey edges of resized masks above 128', async () => {
    const root = await challenge([], [3]);
    const edges = (_row: number, column: number) => [0, 60, 128, 129, 200, 255][Math.floor(column / 4)]!;
    await fill(root, {
      [`${name('Test_GroundTruth')}/ISIC_0000003_Segmentation.png`]: picture([20, 24, 1], edges),
    });
    const { mask } = await (await load(root, { size: 24 })).test.get(0);
    expect([...mask.data.subarray(0, 24)]).toEqual([...new Array(12).fill(0), ...new Array(12).fill(1)]);
  });

  it('turns images and masks as their EXIF orientation says', async () => {
    const root = await challenge([], [3]);
    const leftBright = picture([8, 16, 3], (_row, column) => (column < 8 ? 250 : 5));
    await fill(root, {
      [`${name('Test_Data')}/ISIC_0000003.jpg`]: leftBright.withMetadata({ orientation: 6 }),
      [`${name('Test_GroundTruth')}/ISIC_0000003_Segmentation.png`]: maskPicture(16, 8, (row) => row < 8),
    });
    const { image, mask } = await (await load(root)).test.get(0);
    expect([image.data[0]! > 200, mask.data[0], image.data[15 * 16 * 3]! < 50, mask.data[15 * 16]]).toEqual([
      ...[true, 1, true, 0],
    ]);
  });

  it('refuses images that are in both splits', async () => {
    await expect(load(await challenge([1, 2], [2]))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      parts: { received: '1 such ids: ISIC_0000002' },
    });
  });
});
