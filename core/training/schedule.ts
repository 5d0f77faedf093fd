import type { TrainingConfig } from '../config/types.ts';

/** What the schedule remembers from epoch to epoch. */
export interface PlateauState {
  readonly learningRate: number;
  /** Lowest epoch loss so far; null before the first epoch. */
  readonly best: number | null;
  /** Epochs since then. */
  readonly stale: number;
}

/** An epoch counts as better only when its loss is lower by this part of the best one. */
const THRESHOLD = 1e-4;

export function startPlateau({ learningRate }: TrainingConfig): PlateauState {
  return { learningRate, best: null, stale: 0 };
}

/**
 * Reduces the learning rate when the loss stops falling, as PyTorch's `ReduceLROnPlateau` does: `patience` epochs
 * without improvement are tolerated, the next one multiplies the rate by `factor`, down to `minLearningRate`.
 */
export function advancePlateau(
  state: PlateauState,
  loss: number,
  { factor, patience, minLearningRate }: TrainingConfig,
): PlateauState {
  const { learningRate, best, stale } = state;
  if (best === null || loss < best * (1 - THRESHOLD)) return { learningRate, best: loss, stale: 0 };
  if (stale < patience) return { learningRate, best, stale: stale + 1 };
  const reduced = Math.max(learningRate * factor, minLearningRate);
  return { learningRate: Math.min(learningRate, reduced), best, stale: 0 };
}

/**
 * The learning rate of an epoch (from 0). The cosine anneals from `learningRate` towards `minLearningRate`
 * (Loshchilov and Hutter, SGDR, 2017, without restarts): a short training then ends on settled weights.
 */
export function epochRate(
  state: PlateauState,
  epoch: number,
  { schedule, learningRate, minLearningRate, epochs }: TrainingConfig,
): number {
  if (schedule === 'plateau') return state.learningRate;
  const floor = Math.min(minLearningRate, learningRate);
  return floor + ((learningRate - floor) * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
}
