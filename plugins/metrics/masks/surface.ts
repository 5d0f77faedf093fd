import type { MaskPair } from '../../../core/index.ts';
import { squaredDistances } from './distance.ts';

/** Distances between the surfaces of prediction and truth, in millimetres where the spacing is known, else pixels. */
export interface SurfaceDistances {
  /** From each surface pixel of the prediction to the nearest one of the truth. */
  readonly toTruth: Float64Array;
  /** From each surface pixel of the truth to the nearest one of the prediction. */
  readonly toPrediction: Float64Array;
}

/** A mask's surface, and the squared distance of every pixel to it. */
interface Surface {
  readonly pixels: readonly number[];
  readonly squared: Float64Array;
  readonly spacing: string;
}

const ofPairs = new WeakMap<MaskPair, SurfaceDistances>();
const ofMasks = new WeakMap<Uint8Array, Surface>();

/**
 * Surface distances of two masks that are not empty. They are remembered for the pair, so that several metrics share
 * them, and the surface of the truth for all pairs with that truth. A surface pixel is one of the mask with a
 * neighbour (of four) outside the mask or outside the image, as in MONAI and medpy.
 */
export function surfaceDistances(pair: MaskPair): SurfaceDistances {
  const known = ofPairs.get(pair);
  if (known) return known;
  const prediction = surfaceOf(pair.prediction, pair);
  const truth = surfaceOf(pair.truth, pair);
  const made = { toTruth: between(prediction, truth), toPrediction: between(truth, prediction) };
  ofPairs.set(pair, made);
  return made;
}

function surfaceOf(mask: Uint8Array, { shape, spacing = [1, 1] }: MaskPair): Surface {
  const known = ofMasks.get(mask);
  if (known?.spacing === spacing.join()) return known;
  const pixels = surfacePixels(mask, shape);
  const made = { pixels, squared: squaredDistances(pixels, shape, spacing), spacing: spacing.join() };
  ofMasks.set(mask, made);
  return made;
}

function surfacePixels(mask: Uint8Array, [height, width]: MaskPair['shape']): number[] {
  const found: number[] = [];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (mask[at] === 0) continue;
      const inside = y > 0 && y < height - 1 && x > 0 && x < width - 1;
      const surrounded = inside && mask[at - width] && mask[at + width] && mask[at - 1] && mask[at + 1];
      if (!surrounded) found.push(at);
    }
  }
  return found;
}

function between({ pixels }: Surface, { squared }: Surface): Float64Array {
  return Float64Array.from(pixels, (at) => Math.sqrt(squared[at]!));
}

/** Linear interpolation between order statistics, as NumPy's default. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  const position = share * (sorted.length - 1);
  const lower = Math.floor(position);
  const upper = Math.ceil(position);
  return sorted[lower]! + (position - lower) * (sorted[upper]! - sorted[lower]!);
}

/** Both directions together. */
export function bothWays({ toTruth, toPrediction }: SurfaceDistances): Float64Array {
  const all = new Float64Array(toTruth.length + toPrediction.length);
  all.set(toTruth);
  all.set(toPrediction, toTruth.length);
  return all;
}
