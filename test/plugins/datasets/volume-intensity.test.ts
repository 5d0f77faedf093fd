import { describe, expect, it } from 'vitest';
import { toGrey, usualRange } from '../../../plugins/datasets/volume/intensity.ts';

describe('the usual range of intensities', () => {
  it.each([
    ['spans all but the outermost voxels', Array.from({ length: 1001 }, (_, i) => i), [5, 995]],
    ['of small numbers too', Array.from({ length: 1001 }, (_, i) => i / 1e6), [5e-6, 995e-6]],
    ['leaves out metal', [...new Array<number>(499).fill(0), ...new Array<number>(500).fill(1), 1e5], [0, 1]],
    ['falls back to the extremes', [...new Array<number>(999).fill(3), 7], [3, 7]],
    ['knows constant volumes', [2, 2, NaN, 2], [2, 3]],
  ])('%s', (_what, voxels, expected) => {
    const [low, high] = usualRange(voxels);
    const width = Math.max(...voxels.filter(Number.isFinite)) - Math.min(...voxels.filter(Number.isFinite));
    expect(Math.abs(low - expected[0]!)).toBeLessThanOrEqual(width / 65535);
    expect(Math.abs(high - expected[1]!)).toBeLessThanOrEqual(width / 65535);
  });

  it('becomes 0 to 255, and what is no number 0', () => {
    expect([...toGrey(Float32Array.of(-200, -160, 40, 240, 500, NaN), [-160, 240])]).toEqual([
      0, 0, 127.5, 255, 255, 0,
    ]);
  });
});
