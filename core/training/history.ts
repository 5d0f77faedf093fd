import type { TrainingConfig } from '../config/types.ts';
import type { TrainingEpoch } from '../vocabulary.ts';

/** The first of the epochs that nothing surpasses: in Dice of the held-out images, else in training loss. */
export function bestEpoch(history: readonly TrainingEpoch[]): TrainingEpoch | undefined {
  return history.reduce<TrainingEpoch | undefined>(
    (best, epoch) => (best === undefined || score(epoch) > score(best) ? epoch : best),
    undefined,
  );
}

/** Whether a training has nothing left to do. */
export function isOver(
  history: readonly TrainingEpoch[],
  { epochs, stopAfter }: Pick<TrainingConfig, 'epochs' | 'stopAfter'>,
): boolean {
  const stale = history.length - (bestEpoch(history)?.epoch ?? 0);
  return history.length >= epochs || (stopAfter !== null && stale >= stopAfter);
}

function score({ validation, loss }: TrainingEpoch): number {
  return validation ?? -loss;
}
