import { describe, expect, it } from 'vitest';
import { advancePlateau, epochRate, startPlateau } from '../../../core/training/schedule.ts';
import { config } from './helpers.ts';

function rates(losses: number[], changes: Partial<typeof config>): number[] {
  const settings = { ...config, ...changes };
  let state = startPlateau(settings);
  return losses.map((loss) => (state = advancePlateau(state, loss, settings)).learningRate);
}

describe('learning rate on a plateau', () => {
  it('tolerates `patience` stale epochs and reduces at the next', () => {
    const found = rates([5, 4, 4, 4, 4, 4, 4, 4, 3], {
      learningRate: 1,
      patience: 2,
      factor: 0.5,
      minLearningRate: 0,
    });
    expect(found).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]);
  });

  it('counts only an improvement by more than one part in ten thousand', () => {
    const changes = { learningRate: 1, patience: 0, factor: 0.5, minLearningRate: 0 };
    expect(rates([1, 0.99995], changes)).toEqual([1, 0.5]);
    expect(rates([1, 0.99985], changes)).toEqual([1, 1]);
  });

  it('compares with the best loss, not with the last', () => {
    expect(rates([1, 3, 2], { learningRate: 1, patience: 1, factor: 0.5, minLearningRate: 0 })).toEqual([
      1, 1, 0.5,
    ]);
  });

  it('stops at the floor and never raises the rate', () => {
    const losses = [1, 1, 1, 1];
    expect(rates(losses, { learningRate: 1, patience: 0, factor: 0.5, minLearningRate: 0.4 })).toEqual([
      1, 0.5, 0.4, 0.4,
    ]);
    expect(rates(losses, { learningRate: 1, patience: 0, factor: 0.5, minLearningRate: 2 })).toEqual([
      1, 1, 1, 1,
    ]);
  });
});

describe('learning rate on a cosine', () => {
  const settings = {
    ...config,
    schedule: 'cosine',
    learningRate: 1,
    minLearningRate: 0.2,
    epochs: 4,
  } as const;

  it('falls from the first rate by half a cosine over the epochs', () => {
    const found = [0, 1, 2, 3].map((epoch) => epochRate(startPlateau(settings), epoch, settings));
    const root = Math.SQRT1_2;
    [1, 0.6 + 0.4 * root, 0.6, 0.6 - 0.4 * root].forEach((rate, epoch) =>
      expect(found[epoch]).toBeCloseTo(rate, 12),
    );
  });

  it('never rises to a floor above the first rate', () => {
    const high = { ...settings, minLearningRate: 2 };
    expect(epochRate(startPlateau(high), 3, high)).toBe(1);
  });
});
