import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveOptions, type MaskPair } from '../../../core/index.ts';
import { maskPair } from '../../../core/testing/index.ts';
import areaError from '../../../plugins/metrics/area-error.ts';
import assd from '../../../plugins/metrics/assd.ts';
import boundaryIou from '../../../plugins/metrics/boundary-iou.ts';
import calibration from '../../../plugins/metrics/expected-calibration-error.ts';
import goalAgreement from '../../../plugins/metrics/goal-agreement.ts';
import hd95 from '../../../plugins/metrics/hd95.ts';
import { boundary } from '../../../plugins/metrics/masks/boundary.ts';
import { squaredDistances } from '../../../plugins/metrics/masks/distance.ts';
import { surfaceDistances } from '../../../plugins/metrics/masks/surface.ts';
import surfaceDice from '../../../plugins/metrics/surface-dice.ts';
import thresholded from '../../../plugins/metrics/thresholded-jaccard.ts';

/** Masks written as rows of dots and crosses. */
const draw = (prediction: string[], truth: string[]): MaskPair => {
  const read = (rows: string[]) => [...rows.join('')].map((mark) => Number(mark === 'x'));
  return maskPair([truth.length, truth[0]!.length], read(prediction), read(truth));
};

const size = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
const spacing = fc.tuple(
  fc.double({ min: 0.2, max: 4, noNaN: true }),
  fc.double({ min: 0.2, max: 4, noNaN: true }),
);

describe('squared distances', () => {
  it('are those to the nearest pixel, whatever shape and spacing', () => {
    const scene = fc.tuple(size, spacing).chain(([shape, step]) => {
      const at = fc.integer({ min: 0, max: shape[0] * shape[1] - 1 });
      return fc.tuple(
        fc.constant(shape),
        fc.constant(step),
        fc.uniqueArray(at, { minLength: 1, maxLength: 12 }),
      );
    });
    fc.assert(
      fc.property(scene, ([shape, step, pixels]) => {
        const place = (at: number) =>
          [Math.floor(at / shape[1]) * step[0], (at % shape[1]) * step[1]] as const;
        squaredDistances(pixels, shape, step).forEach((found, at) => {
          const nearest = Math.min(
            ...pixels.map((pixel) => {
              const [[y, x], [v, u]] = [place(at), place(pixel)];
              return (y - v) ** 2 + (x - u) ** 2;
            }),
          );
          expect(Math.abs(found - nearest)).toBeLessThan(1e-9 * Math.max(1, nearest));
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('boundary', () => {
  it('is what is at most so many king’s moves from the outside', () => {
    const scene = size.chain((shape) => {
      const count = shape[0] * shape[1];
      return fc.tuple(
        fc.constant(shape),
        fc.array(fc.nat(1), { minLength: count, maxLength: count }),
        fc.integer({ min: 1, max: 4 }),
      );
    });
    fc.assert(
      fc.property(scene, ([[height, width], bits, pixels]) => {
        const outside = (y: number, x: number) =>
          y < 0 || x < 0 || y >= height || x >= width || bits[y * width + x] === 0;
        const reach = Array.from({ length: 2 * pixels + 1 }, (_, i) => i - pixels);
        const expected = bits.map((bit, at) => {
          const [y, x] = [Math.floor(at / width), at % width];
          return Number(bit === 1 && reach.some((dy) => reach.some((dx) => outside(y + dy, x + dx))));
        });
        expect([...boundary(Uint8Array.from(bits), [height, width], pixels)]).toEqual(expected);
      }),
    );
  });
});

describe('surface metrics by hand', () => {
  // One pixel against a row of three: distances 2, 3, 4 one way and 2 the other.
  const pair = draw(['x......', '.......'], ['..xxx..', '.......']);

  it('of three points', () => {
    expect([...surfaceDistances(pair).toTruth]).toEqual([2]);
    expect([...surfaceDistances(pair).toPrediction]).toEqual([2, 3, 4]);
    expect(hd95.measure(pair, resolveOptions(hd95))).toBeCloseTo(3.9, 12);
    expect(hd95.measure(pair, resolveOptions(hd95, { variant: 'pooled' }))).toBeCloseTo(3.85, 12);
    expect(assd.measure(pair, resolveOptions(assd))).toBeCloseTo(11 / 4, 12);
    expect(surfaceDice.measure(pair, resolveOptions(surfaceDice))).toBe(2 / 4);
    expect(surfaceDice.measure(pair, resolveOptions(surfaceDice, { tolerance: 3 }))).toBe(3 / 4);
    expect(boundaryIou.measure(pair, resolveOptions(boundaryIou))).toBe(0);
  });

  it('count in millimetres where the spacing is known, also for masks that were measured before', () => {
    const spaced = { ...pair, spacing: [3, 0.5] as const };
    expect(assd.measure(spaced, resolveOptions(assd))).toBeCloseTo(11 / 8, 12);
    const absolute = resolveOptions(areaError, { unit: 'absolute' });
    expect(areaError.measure(spaced, absolute)).toBe(2 * 1.5);
    expect(areaError.measure(pair, absolute)).toBe(2);
    expect(areaError.measure(pair, resolveOptions(areaError))).toBe(2 / 3);
  });

  it('give the longest distance of the image where one mask is empty', () => {
    const nothing = draw(['....', '....', '....', '....'], ['x...', '....', '....', '....']);
    expect(hd95.measure(nothing, resolveOptions(hd95))).toBeCloseTo(Math.hypot(3, 3), 12);
    expect(assd.measure({ ...nothing, spacing: [2, 1] }, resolveOptions(assd))).toBeCloseTo(
      Math.hypot(6, 3),
      12,
    );
    expect(hd95.measure(nothing, resolveOptions(hd95, { oneEmpty: 'undefined' }))).toBe(NaN);
  });
});

describe('other metrics', () => {
  it('thresholded-jaccard forgets what is below its threshold', () => {
    const [third, two] = [draw(['xx.', '...'], ['x..', 'xx.']), draw(['xx.', '...'], ['xxx', '...'])];
    expect(thresholded.measure(third, resolveOptions(thresholded))).toBe(0);
    expect(thresholded.measure(two, resolveOptions(thresholded))).toBe(2 / 3);
    expect(thresholded.measure(two, resolveOptions(thresholded, { threshold: 0.7 }))).toBe(0);
  });

  it('expected-calibration-error bins probabilities', () => {
    const pair = draw(['x..x'], ['xx..']);
    const probability = Float32Array.from([1, 0.25, 0, 0.5]);
    const measure = (bins: number) =>
      calibration.measure({ ...pair, probability }, resolveOptions(calibration, { bins }));
    // Two bins: {0.25, 0} against one hit, {1, 0.5} against one hit.
    expect(measure(2)).toBeCloseTo((0.75 + 0.5) / 4, 12);
    expect(measure(1)).toBeCloseTo(Math.abs(1.75 - 2) / 4, 12);
    const { probability: _none, ...without } = pair;
    expect(calibration.measure(without, { bins: 2 })).toBe(NaN);
  });

  it('goal-agreement counts pixels that have what the attack wants', () => {
    const pair = draw(['xx..'], ['xx..']);
    const reached = (...goal: number[]) =>
      goalAgreement.measure({ ...pair, goal: Uint8Array.from(goal) }, {});
    expect(reached(1, 1, 0, 0)).toBe(1);
    expect(reached(0, 0, 1, 1)).toBe(0);
    expect(reached(0, 1, 0, 0)).toBe(3 / 4);
    const { goal: _none, ...without } = pair;
    expect(goalAgreement.measure(without, {})).toBe(NaN);
  });
});
