import { describe, expect, it } from 'vitest';
import { makeRandom } from '../../../core/random.ts';
import { fillBatches, makeBatches, shuffle, type Batch } from '../../../core/training/batches.ts';
import { cacheSamples } from '../../../core/training/samples.ts';
import { config, dataset, sample, split } from './helpers.ts';

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

describe('order', () => {
  it('is a permutation, another in every epoch', () => {
    const [a, b] = [0, 1].map((epoch) => shuffle(50, makeRandom(1)('shuffle', epoch)));
    expect([...a!].sort((x, y) => x - y)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(a).not.toEqual(b);
    expect(shuffle(50, makeRandom(1)('shuffle', 0))).toEqual(a);
  });

  it('fills the last batch from the start, also where there are fewer samples than a batch holds', () => {
    expect(fillBatches([4, 2, 0, 3, 1], 2)).toEqual([
      [4, 2],
      [0, 3],
      [1, 4],
    ]);
    expect(fillBatches([1, 0], 5)).toEqual([[1, 0, 1, 0, 1]]);
  });
});

describe('batches', () => {
  it('are the same for the same seed and epoch, whatever was asked for before', async () => {
    const fresh = () => makeBatches(dataset(), config, makeRandom(5));
    const used = fresh();
    await all(used.epoch(0));
    expect(await all(used.epoch(1))).toEqual(await all(fresh().epoch(1)));
    expect(await all(used.epoch(1))).not.toEqual(await all(used.epoch(2)));
  });

  it('deliver every sample in every epoch', async () => {
    const source = makeBatches(dataset(), { ...config, flips: false, rotation: 0 }, makeRandom(5));
    const seen = (await all(source.epoch(3))).flatMap(({ images }) =>
      [0, 1, 2].map((at) => images.slice(at * 64, at * 64 + 64).join()),
    );
    expect(source.steps).toBe(3);
    expect(seen).toHaveLength(9);
    for (let i = 0; i < 7; i++) expect(seen).toContain(sample(i).image.data.join());
  });

  it('pass on the error of a sample', async () => {
    const broken = split(7, (index) => {
      if (index === 4) throw new Error('torn file');
      return sample(index);
    });
    await expect(all(makeBatches(dataset(7, broken), config, makeRandom(5)).epoch(0))).rejects.toThrow(
      'torn file',
    );
  });
});

describe('samples', () => {
  it('are read once and come back as they were, whole levels or not', async () => {
    let reads = 0;
    const fractional = {
      ...sample(1),
      image: { shape: [8, 8, 1] as const, data: new Float32Array(64).fill(0.3) },
    };
    const source = cacheSamples(
      dataset(
        2,
        split(2, (i) => (reads++, i === 0 ? sample(0) : fractional)),
      ),
    );
    const first = [await source.get(0), await source.get(1)];
    const second = [await source.get(0), await source.get(1)];
    expect(reads).toBe(2);
    first.forEach((pair, at) => {
      expect(second[at]!.image).toEqual(pair.image);
      expect(second[at]!.mask).toEqual(pair.mask);
    });
  });

  it('are read again when memory is spent', async () => {
    let reads = 0;
    const source = cacheSamples(
      dataset(
        3,
        split(3, (i) => (reads++, sample(i))),
      ),
      2 * 128,
    );
    for (let epoch = 0; epoch < 3; epoch++) for (let i = 0; i < 3; i++) await source.get(i);
    expect(reads).toBe(5);
  });

  it('of another size or with an unknown class are refused', async () => {
    const small = { ...sample(0), mask: { shape: [4, 4] as const, data: new Uint8Array(16) } };
    const foreign = { ...sample(0), mask: { shape: [8, 8] as const, data: new Uint8Array(64).fill(2) } };
    for (const wrong of [small, foreign]) {
      const source = cacheSamples(
        dataset(
          1,
          split(1, () => wrong),
        ),
      );
      await expect(source.get(0)).rejects.toMatchObject({
        code: 'DATASET_INVALID',
        parts: { where: 'sample s0' },
      });
    }
  });
});
