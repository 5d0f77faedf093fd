import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readImage, type Dataset, type Sample } from '../../core/index.ts';
import { contactSheet } from '../../core/cli/sheet.ts';
import { surveyDataset } from '../../core/cli/survey.ts';
import { temporaryFolder, tinyDataset } from '../../core/testing/index.ts';
import { robust, type Ended } from './support.ts';

const signal = new AbortController().signal;

describe('robust dataset', () => {
  const sheet = join(temporaryFolder(), 'sheet.png');
  const options = ['--set', 'size=32', '--set', 'train=4', '--set', 'test=3', '--sheet', sheet];
  let ended: Ended;
  beforeAll(async () => {
    ended = await robust(['dataset', 'chest-phantom', ...options]);
  });

  it('tells numbers, size, foreground and problems in 80 columns', () => {
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^chest-phantom: 32 x 32 x 1, levels 0 to 255 in steps of 1\n/);
    expect(ended.stdout).toMatch(/\nimages +4 +3\n/);
    expect(ended.stdout).toMatch(/\nlung +\d+\.\d % +\d+\.\d %\n/);
    expect(ended.stdout).toContain('No problems found');
    expect(Math.max(...ended.stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(ended.stderr).toBe('reading 7 samples\n');
  });

  it('writes a sheet of training rows above test rows', async () => {
    expect((await readImage(sheet, { channels: 3 })).shape).toEqual([256, 768, 3]);
  });

  it('prints JSON', async () => {
    const { stdout } = await robust(['dataset', 'chest-phantom', ...options.slice(0, 6), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ name: 'chest-phantom', size: [32, 32, 1], classes: ['background', 'lung'], problems: [] },
      ...{ train: { images: 4 }, test: { images: 3, groups: 3 } },
    });
  });

  it('says what is missing, with the exit code of data that cannot be used', async () => {
    const { code, stderr } = await robust(['dataset', 'jsrt', '--set', `root=${temporaryFolder()}`]);
    expect(code).toBe(2);
    expect(stderr).toContain('DATASET_EMPTY');
  });

  it('names the nearest option of a wrong one', async () => {
    const { code, stderr } = await robust(['dataset', 'chest-phantom', '--set', 'sise=3']);
    expect(code).toBe(2);
    expect(stderr).toContain('size');
  });
});

/** The tiny data set with some samples of its test split changed. */
function changed(change: (sample: Sample, index: number) => Sample): Dataset {
  const data = tinyDataset({ test: 4 });
  return { ...data, test: { ...data.test, get: async (i) => change(await data.test.get(i), i) } };
}

describe('the survey', () => {
  it('finds blank and repeated images, empty and full masks, shared groups', async () => {
    const flat = (sample: Sample, value: number) => ({
      ...sample,
      mask: { ...sample.mask, data: sample.mask.data.map(() => value) },
    });
    const data = changed((sample, i) => {
      if (i === 0) return { ...sample, image: { ...sample.image, data: new Float32Array(48) } };
      if (i === 1) return { ...flat(sample, 0), group: 'train-1' };
      if (i === 2) return flat(sample, 1);
      return sample;
    });
    const twice = await data.train.get(0);
    const { problems, test } = await surveyDataset(
      { ...data, train: { ...data.train, get: async () => twice }, notes: ['a note'] },
      signal,
    );
    expect(problems).toEqual([
      'a note',
      '1 images have one grey level only: test-0',
      '1 masks are empty: test-1',
      '1 masks have no background: test-2',
      '3 images are equal to an earlier one: train-0, train-0, train-0',
    ]);
    expect(test.foreground[0]).toMatchObject({ name: 'rectangle', min: 0, max: 1 });
    const shared = await surveyDataset(data, signal);
    expect(shared.problems).toContain('1 test images are of a group that is trained on: test-1');
  });

  it('goes on after a sample that cannot be read', async () => {
    const root = temporaryFolder();
    const data = changed((sample) => sample);
    const get = async (i: number) => {
      if (i === 2) await readImage(join(root, 'gone.png'), { channels: 1 });
      return data.test.get(i);
    };
    const broken = { ...data, test: { ...data.test, get } };
    const { problems, test } = await surveyDataset(broken, signal);
    expect(problems).toEqual([`test-2 cannot be read: The image does not exist. ${join(root, 'gone.png')}`]);
    expect(test.images).toBe(3);
    expect((await contactSheet(broken)).shape).toEqual([256, 768, 3]);
  });
});

describe('the contact sheet', () => {
  it('shows grey levels of the domain, and outlines in the colour of the class', async () => {
    const data = tinyDataset({ height: 128, width: 128, train: 0, test: 1 });
    const { image, mask } = await data.test.get(0);
    const sheet = await contactSheet({ ...data, domain: { low: 0, high: 510, step: 1 } });
    const pixel = (row: number, column: number) => [
      ...sheet.data.slice((row * 768 + column) * 3, (row * 768 + column) * 3 + 3),
    ];
    const corner = mask.data.indexOf(1);
    const [row, column] = [Math.floor(corner / 128), corner % 128];
    expect(pixel(row, column)).toEqual([255, 64, 64]);
    // The rectangle is three pixels wide: its centre is no border.
    const inner = image.data[(row + 1) * 128 + column + 1]!;
    expect(pixel(row + 1, column + 1)).toEqual(new Array(3).fill(Math.round(inner / 2)));
    expect(pixel(5, 300)).toEqual([0, 0, 0]);
  });
});
