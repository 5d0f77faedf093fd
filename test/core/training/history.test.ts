import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRandom } from '../../../core/random.ts';
import { holdOut } from '../../../core/training/batches.ts';
import { bestEpoch, isOver } from '../../../core/training/history.ts';
import { trainNetwork, type TrainingRequest } from '../../../core/training/trainer.ts';
import type { TrainingEpoch } from '../../../core/vocabulary.ts';
import { config, dataset, request, tinyNetwork, weightsOf } from './helpers.ts';

beforeAll(() => tf.setBackend('cpu'));

const epochs = (scores: readonly (readonly [loss: number, validation: number | null])[]): TrainingEpoch[] =>
  scores.map(([loss, validation], at) => ({
    ...{ epoch: at + 1, loss, validation },
    ...{ learningRate: 0.1, dice: 0.5, seconds: 1 },
  }));

describe('the best epoch', () => {
  it('is the first with the highest Dice of held-out images, whatever the loss', () => {
    const history = epochs([
      [3, 0.5],
      [2, 0.7],
      [1, 0.7],
      [0.5, 0.6],
    ]);
    expect(bestEpoch(history)?.epoch).toBe(2);
    expect([1, 2, 3, 4].map((stopAfter) => isOver(history, { epochs: 9, stopAfter }))).toEqual([
      ...[true, true],
      ...[false, false],
    ]);
  });

  it('is the one with the lowest loss where nothing is held out', () => {
    const history = epochs([
      [3, null],
      [1, null],
      [2, null],
    ]);
    expect(bestEpoch(history)?.epoch).toBe(2);
    expect(isOver(history, { epochs: 3, stopAfter: null })).toBe(true);
    expect(isOver(history, { epochs: 4, stopAfter: null })).toBe(false);
    expect(bestEpoch([])).toBeUndefined();
  });
});

describe('holdOut', () => {
  it('divides the images, and always leaves some to train on', () => {
    const divide = (total: number, part: number) => holdOut(total, part, makeRandom(1)('x'));
    const { trained, held } = divide(10, 0.3);
    expect(held).toHaveLength(3);
    expect([...trained, ...held].sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(divide(5, 0)).toEqual({ trained: [0, 1, 2, 3, 4], held: [] });
    expect(divide(2, 0.99)).toMatchObject({ trained: { length: 1 }, held: { length: 1 } });
    expect(divide(1, 0.5)).toEqual({ trained: [0], held: [] });
  });
});

describe('a training with held-out images', () => {
  // So high a rate that epochs get worse as often as better.
  const watched = { ...config, learningRate: 0.5, epochs: 6, validation: 0.4, keep: 'best' as const };
  const make = (changes: Partial<TrainingRequest> = {}) => {
    const seen = new Set<number>();
    const given = dataset(8);
    const get = (index: number) => (seen.add(index), given.train.get(index));
    const data = { ...given, train: { ...given.train, get } };
    return { seen, given: request({ config: watched, dataset: data, ...changes }) };
  };

  it('keeps the weights of its best epoch, also when it was interrupted after that', async () => {
    const { given } = make();
    const result = await trainNetwork(given);
    const best = bestEpoch(result.epochs)!;
    expect(best.epoch).toBeLessThan(6);
    const short = make({ config: { ...watched, epochs: best.epoch } }).given;
    await trainNetwork(short);
    expect(weightsOf(given.network)).toEqual(weightsOf(short.network));
    const last = make({ config: { ...watched, keep: 'last' } }).given;
    await trainNetwork(last);
    expect(weightsOf(last.network)).not.toEqual(weightsOf(given.network));

    const controller = new AbortController();
    const broken = make({ signal: controller.signal }).given;
    const stop = ({ epoch }: { epoch: number }) => void (epoch === best.epoch + 1 && controller.abort());
    await expect(trainNetwork({ ...broken, onProgress: stop })).rejects.toThrow();
    const again = { ...broken, network: tinyNetwork(), signal: new AbortController().signal };
    expect((await trainNetwork(again)).resumed).toBe(best.epoch);
    expect(weightsOf(again.network)).toEqual(weightsOf(given.network));
  });

  it('ends when epochs stop getting better, and does not go on when asked again', async () => {
    const { given } = make({ config: { ...watched, epochs: 50, stopAfter: 2 } });
    const { epochs: history } = await trainNetwork(given);
    expect(history.length).toBe(bestEpoch(history)!.epoch + 2);
    expect(history.length).toBeLessThan(50);
    const again = await trainNetwork({ ...given, network: tinyNetwork() });
    expect(again.epochs).toEqual(history);
  });

  it('tells both scores', async () => {
    const { given, seen } = make();
    const { epochs: history } = await trainNetwork(given);
    expect(seen.size).toBe(8);
    for (const { dice, validation } of history) {
      expect(dice).toBeLessThanOrEqual(1);
      expect(validation).toBeGreaterThanOrEqual(0);
    }
  });
});
