import type { MaskPair } from '../../../core/index.ts';
import { emptyOptions, emptyValue, longestDistance, type EmptyPolicy } from './empty.ts';
import { surfaceDistances, type SurfaceDistances } from './surface.ts';

/** What the metrics in millimetres (or pixels) have in common. */
export const distance = {
  better: 'lower',
  empty:
    'Prediction and truth both empty: 0. Only one of them empty: the longest distance in the image. Options ' +
    '`bothEmpty` and `oneEmpty` change that.',
  options: emptyOptions,
} as const;

/** A number of the surface distances, or what the policy says where a mask is empty. */
export function measured(
  pair: MaskPair,
  policy: EmptyPolicy,
  of: (distances: SurfaceDistances) => number,
): number {
  const { tp, fp, fn } = pair.confusion;
  return emptyValue(tp + fp, tp + fn, policy, 0, longestDistance(pair)) ?? of(surfaceDistances(pair));
}
