/** Levels that a histogram tells apart. */
const BINS = 2 ** 16;

/** Lowest and highest intensity that become 0 and 255. */
export type Range = readonly [low: number, high: number];

/**
 * The range without the lowest and highest 0.5 % of the voxels: single ones may be far off. What is no finite number
 * does not count.
 */
export function usualRange(voxels: ArrayLike<number>): Range {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < voxels.length; i++) {
    const value = voxels[i]!;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (!(max > min)) return [min, min + 1];
  const step = (max - min) / (BINS - 1);
  const counts = new Uint32Array(BINS);
  let total = 0;
  for (let i = 0; i < voxels.length; i++) {
    if (!Number.isFinite(voxels[i])) continue;
    counts[Math.round((voxels[i]! - min) / step)]! += 1;
    total++;
  }
  const at = (share: number) => {
    let seen = 0;
    return min + step * counts.findIndex((count) => (seen += count) > share * (total - 1));
  };
  const [low, high] = [at(0.005), at(0.995)];
  return high > low ? [low, high] : [min, max];
}

/** Intensities of a range to 0..255; what is no number is 0. */
export function toGrey(values: Float32Array, [low, high]: Range): Float32Array {
  const scale = 255 / (high - low);
  return values.map((value) => Math.min(255, Math.max(0, (value - low) * scale)) || 0);
}
