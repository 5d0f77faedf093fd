import { describe, expect, it } from 'vitest';
import { compareRuns, compareSubjects } from '../../../core/statistics/comparisons.ts';
import { summarise } from '../../../core/statistics/summary.ts';
import { reportOf, spread } from '../gate/support.ts';

const clean = spread(0.9, 0.02, 30, 'clean');
const lower = (by: number) => clean.map((value, i) => value - by + 0.001 * (i % 3));

describe('comparisons', () => {
  const report = reportOf({
    a: { 0: clean, 8: lower(0.4) },
    b: { 0: lower(0.001), 8: lower(0.3) },
    c: { 0: clean, 8: [...lower(0.4).slice(1), null] },
  });
  const found = compareSubjects(report);

  it('hold every subject against the first, in every cell', () => {
    expect(
      found.map(({ subject, reference, attack, eps }) => [subject, reference, attack, eps].join(' ')),
    ).toEqual(['b a clean 0', 'b a x 8', 'c a clean 0', 'c a x 8']);
  });

  it('are paired, with interval, test and correction', () => {
    const [same, better] = found;
    expect(same!.difference).toBeCloseTo(0, 10);
    expect(better!.difference).toBeCloseTo(0.1, 10);
    expect(better!.high! - better!.low!).toBeLessThan(0.002);
    expect(better!.p!).toBeLessThan(1e-8);
    expect(better!.pHolm!).toBeCloseTo(4 * better!.p!, 20);
    expect(found[2]).toMatchObject({ difference: 0, low: 0, high: 0, p: 1, pHolm: 1, n: 30 });
  });

  it('count undefined values', () => {
    expect(found[3]).toMatchObject({ n: 29, undefined: 1 });
  });

  it('count a patient once in the test', () => {
    const grouped = {
      ...report,
      rows: report.rows.map((row) => ({ ...row, group: `p${Number(row.sample.slice(5)) % 5}` })),
    };
    expect(compareSubjects(grouped)[1]!.p).toBeCloseTo(2 / 32, 12);
  });

  it('of two runs pair a subject with itself', () => {
    const [first, ...rest] = compareRuns(
      report,
      reportOf({ a: { 0: clean, 8: lower(0.3) }, b: { 0: clean } }),
    );
    expect(first).toMatchObject({ subject: 'a', reference: 'baseline:a', difference: 0 });
    expect(rest[0]!.difference).toBeCloseTo(-0.1, 10);
    expect(rest[2]).toMatchObject({
      subject: 'b',
      eps: 8,
      n: 0,
      difference: null,
      low: null,
      p: null,
      pHolm: null,
    });
  });
});

describe('a summary', () => {
  const cells = (scores: Record<number, (number | null)[]>) => {
    const { rows, curves } = reportOf({ a: scores });
    return [
      curves[0]!.points,
      curves[0]!.points.map(({ eps }) => rows.filter((row) => row.eps === eps)),
    ] as const;
  };

  it('follows the worst value of each image so far', () => {
    const scores = cells({ 0: [0.875, 0.75], 1: [0.5, 0.75], 2: [0.625, 0.25] });
    expect(summarise(...scores, 'dice', 'higher').envelope).toEqual([0.8125, 0.625, 0.375]);
    expect(summarise(...scores, 'dice', 'lower').envelope).toEqual([0.8125, 0.8125, 0.8125]);
  });

  it('keeps the worst of an image that loses its value, and knows nothing before it has one', () => {
    const scores = cells({ 0: [0.9, null], 1: [null, 0.5], 2: [0.3, null] });
    expect(summarise(...scores, 'dice', 'higher').envelope).toEqual([null, (0.9 + 0.5) / 2, (0.3 + 0.5) / 2]);
  });

  it('has no area where a mean is unknown or there is one point, and no levels where less is better', () => {
    const scores = cells({ 0: [0.9], 1: [0.5] });
    expect(summarise(...scores, 'dice', 'higher')).toMatchObject({ area: null, areaTo: 1 });
    expect(summarise(...scores, 'dice', 'lower').crossings).toEqual([]);
    expect(summarise([], [], 'dice', 'higher')).toMatchObject({ area: null, areaTo: 0 });
  });
});
