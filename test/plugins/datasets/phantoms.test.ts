import { describe, expect, it } from 'vitest';
import type { Dataset, Sample, Split } from '../../../core/index.ts';
import { datasetContract } from '../../../core/testing/index.ts';
import chest from '../../../plugins/datasets/chest-phantom.ts';
import skin from '../../../plugins/datasets/skin-phantom.ts';
import { dataContext } from '../../core/images/support.ts';

datasetContract(chest, { changed: { train: 7 } });
datasetContract(skin, { changed: { channels: 1 } });

const all = ({ ids, get }: Split): Promise<Sample[]> => Promise.all(ids.map((_, i) => get(i)));

describe.each([
  { name: 'chest', plugin: chest, fraction: 0.3, threshold: 0.65, prior: 0.8 },
  { name: 'skin', plugin: skin, fraction: 0.18, threshold: 0.65, prior: 0.65 },
] as const)('$name-phantom', ({ name, plugin, fraction, threshold, prior }) => {
  const load = (
    change: { size?: number; channels?: 1 | 3; train?: number; test?: number } = {},
    seed = 0,
  ): Promise<Dataset> =>
    plugin.load({ size: 32, channels: 1, train: 4, test: 4, ...change }, dataContext('/', seed));

  it('gives equal bytes for equal seeds and others for other seeds', async () => {
    const [one, same, other] = await Promise.all([load(), load(), load({}, 1)]);
    expect(await all(same.train)).toEqual(await all(one.train));
    expect(same.fingerprint).toBe(one.fingerprint);
    expect(other.fingerprint).not.toBe(one.fingerprint);
    expect((await other.train.get(0)).image.data).not.toEqual((await one.train.get(0)).image.data);
  });

  it('draws each sample independently of order and number of the others', async () => {
    const few = await load({ train: 3 });
    const many = await load({ train: 20 });
    await many.train.get(7);
    expect(await many.train.get(2)).toEqual(await few.train.get(2));
    expect((await few.train.get(0)).image.data).not.toEqual((await few.train.get(1)).image.data);
    expect((await few.train.get(0)).image.data).not.toEqual((await few.test.get(0)).image.data);
  });

  it('names samples by split and number', async () => {
    const { train, test } = await load();
    expect(train.ids).toEqual([1, 2, 3, 4].map((n) => `${name}-train-000${n}`));
    expect(test.ids[0]).toBe(`${name}-test-0001`);
  });

  it.each([16, 50, 128])('draws %d pixels a side in whole grey levels, grey and RGB', async (size) => {
    const grey = await (await load({ size })).test.get(0);
    const rgb = await (await load({ size, channels: 3 })).test.get(0);
    expect(grey.image.shape).toEqual([size, size, 1]);
    expect(rgb.image.shape).toEqual([size, size, 3]);
    expect(rgb.mask).toEqual(grey.mask);
    for (const { image } of [grey, rgb]) {
      expect(image.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(true);
      expect(Math.max(...image.data) - Math.min(...image.data)).toBeGreaterThan(50);
    }
    for (const [i, level] of grey.image.data.entries()) {
      const [r, g, b] = rgb.image.data.slice(3 * i);
      expect(Math.abs(level - (0.299 * r! + 0.587 * g! + 0.114 * b!))).toBeLessThan(1.01);
    }
  });

  it('draws the same anatomy at every size', async () => {
    const small = await load({ size: 32 });
    const large = await load({ size: 96 });
    for (const i of [0, 1, 2, 3]) {
      const [a, b] = [share(await small.test.get(i)), share(await large.test.get(i))];
      expect(Math.abs(a - b)).toBeLessThan(0.02);
    }
  });

  it('covers about the share of real data, and varies', async () => {
    const shares = (await all((await load({ train: 120 })).train)).map(share);
    expect(Math.abs(mean(shares) - fraction)).toBeLessThan(0.03);
    expect(Math.max(...shares) / Math.min(...shares)).toBeGreaterThan(1.8);
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  it('is solved neither by a grey threshold nor by where masks usually are', async () => {
    const data = await load({ train: 80, test: 40 });
    const test = await all(data.test);
    expect(bestThreshold(test)).toBeLessThan(threshold);
    expect(priorScore(await all(data.train), test)).toBeLessThan(prior);
  });
});

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = ({ mask }: Sample) => mean([...mask.data]);

function score(samples: readonly Sample[], predict: (sample: Sample, pixel: number) => boolean): number {
  const dice = samples.map((sample) => {
    const counts = { both: 0, either: 0 };
    sample.mask.data.forEach((truth, pixel) => {
      const predicted = Number(predict(sample, pixel));
      counts.both += predicted * truth;
      counts.either += predicted + truth;
    });
    return (2 * counts.both) / Math.max(1, counts.either);
  });
  return mean(dice);
}

/** Mean Dice of the best threshold, of either polarity. */
function bestThreshold(samples: readonly Sample[]): number {
  const levels = Array.from({ length: 30 }, (_, i) => 8 + 8 * i);
  const scores = levels.flatMap((level) => [
    score(samples, ({ image }, i) => image.data[i]! < level),
    score(samples, ({ image }, i) => image.data[i]! > level),
  ]);
  return Math.max(...scores);
}

/** Mean Dice of the mean training mask at its best threshold. */
function priorScore(train: readonly Sample[], test: readonly Sample[]): number {
  const share = Array.from(train[0]!.mask.data, (_, i) => mean(train.map(({ mask }) => mask.data[i]!)));
  return Math.max(...[0.3, 0.4, 0.5, 0.6].map((level) => score(test, (_sample, i) => share[i]! > level)));
}
