import { describe, expect, it } from 'vitest';
import { holm } from '../../../core/statistics/holm.ts';
import { wilcoxon } from '../../../core/statistics/wilcoxon.ts';

describe('wilcoxon', () => {
  it('counts signs: n differences on one side have p = 2 / 2^n, whatever their ties', () => {
    expect(wilcoxon([0.1, 0.2, 0.3, 0.4, 0.5])).toBeCloseTo(2 / 32, 14);
    expect(wilcoxon([-1, -1, -1, -1])).toBeCloseTo(2 / 16, 14);
    expect(wilcoxon([0, 0, 0, 2, 1, 3])).toBeCloseTo(2 / 8, 14);
  });

  it('is 1 without a difference and for a balance', () => {
    expect(wilcoxon([0, 0, 0])).toBe(1);
    expect(wilcoxon([])).toBe(1);
    expect(wilcoxon([0.3, -0.3])).toBe(1);
  });

  it('does not care about the sign, and sees through rounding', () => {
    const values = [0.3 - 0.2, 0.2 - 0.1, -(0.4 - 0.3), 0.5, -0.7, 0.9];
    expect(wilcoxon(values)).toBe(wilcoxon(values.map((value) => -value)));
    expect(wilcoxon(values)).toBe(wilcoxon([0.1, 0.1, -0.1, 0.5, -0.7, 0.9]));
  });
});

describe('holm', () => {
  it('leaves unknown values alone, and does not count them', () => {
    expect(holm([0.02, null, 0.01])).toEqual([0.02, null, 0.02]);
    expect(holm([])).toEqual([]);
  });
});
