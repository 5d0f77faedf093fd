import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Confusion, MaskPair } from '../../../core/index.ts';
import { maskPair } from '../../../core/testing/index.ts';
import dice from '../../../plugins/metrics/dice.ts';
import jaccard from '../../../plugins/metrics/jaccard.ts';

const options = { bothEmpty: 'best', oneEmpty: 'worst' } as const;

/** A pair of 1 x n masks, written as strings of 0 and 1. */
const pair = (prediction: string, truth: string): MaskPair =>
  maskPair([1, truth.length], [...prediction].map(Number), [...truth].map(Number));

const counts: fc.Arbitrary<Confusion> = fc.record({
  tp: fc.nat(1e6),
  fp: fc.nat(1e6),
  fn: fc.nat(1e6),
  tn: fc.nat(1e6),
});

describe('dice and jaccard', () => {
  it.each([
    ['110000', '011000', 2 / 4, 1 / 3],
    ['111100', '011000', 4 / 6, 2 / 4],
    ['111111', '000001', 2 / 7, 1 / 6],
    ['101010', '101010', 1, 1],
    ['101010', '010101', 0, 0],
  ])('count %s against %s by hand', (prediction, truth, expectedDice, expectedJaccard) => {
    expect(dice.measure(pair(prediction, truth), options)).toBeCloseTo(expectedDice, 14);
    expect(jaccard.measure(pair(prediction, truth), options)).toBeCloseTo(expectedJaccard, 14);
  });

  it.each([
    ['best', 1],
    ['worst', 0],
    ['undefined', NaN],
  ] as const)(
    'give bothEmpty %s where nothing is there to find and nothing was found',
    (bothEmpty, expected) => {
      for (const metric of [dice, jaccard]) {
        expect(metric.measure(pair('0000', '0000'), { ...options, bothEmpty })).toBe(expected);
        expect(metric.pool?.({ tp: 0, fp: 0, fn: 0, tn: 4 }, { ...options, bothEmpty })).toBe(expected);
      }
    },
  );

  it('give 0 where only one mask is empty, or nothing if that is wanted', () => {
    for (const metric of [dice, jaccard]) {
      for (const [prediction, truth] of [
        ['0000', '0110'],
        ['0110', '0000'],
      ] as const) {
        expect(metric.measure(pair(prediction, truth), options)).toBe(0);
        expect(metric.measure(pair(prediction, truth), { ...options, oneEmpty: 'undefined' })).toBe(NaN);
      }
    }
  });

  it('are tied by J = D / (2 - D)', () => {
    fc.assert(
      fc.property(counts, (confusion) => {
        const d = dice.pool?.(confusion, options) ?? NaN;
        const j = jaccard.pool?.(confusion, options) ?? NaN;
        expect(Math.abs(j - d / (2 - d))).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it('pool counts, which differs from averaging images of different sizes', () => {
    const large = { tp: 90, fp: 10, fn: 0, tn: 0 };
    const small = { tp: 0, fp: 0, fn: 2, tn: 98 };
    const pooled = { tp: 90, fp: 10, fn: 2, tn: 98 };
    expect(dice.pool?.(pooled, options)).toBeCloseTo(180 / 192, 14);
    expect(jaccard.pool?.(pooled, options)).toBeCloseTo(90 / 102, 14);
    const mean = ((dice.pool?.(large, options) ?? NaN) + (dice.pool?.(small, options) ?? NaN)) / 2;
    expect(mean).toBeCloseTo(90 / 190, 14);
  });
});
