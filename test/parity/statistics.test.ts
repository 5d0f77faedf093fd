import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../core/index.ts';
import { makeRandom } from '../../core/random.ts';
import { Bootstrap } from '../../core/statistics/bootstrap.ts';
import { holm } from '../../core/statistics/holm.ts';
import { summarise } from '../../core/statistics/summary.ts';
import { wilcoxon } from '../../core/statistics/wilcoxon.ts';

interface Golden {
  readonly intervals: { values: number[]; low: [number, number]; high: [number, number] }[];
  readonly wilcoxon: Record<string, { differences: number[]; p: number }>;
  readonly holm: { p: number[]; holm: number[] }[];
  readonly curves: { eps: number[]; means: number[]; area: number; crossings: (number | null)[] }[];
}

// How the numbers came to be: fixtures/parity/generate/statistics.py and the provenance inside the file.
const path = new URL('../../fixtures/parity/statistics.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;

describe('against SciPy', () => {
  it.each(golden.intervals.map((one, i) => [i, one] as const))(
    'BCa interval %i',
    (_, { values, low, high }) => {
      const bootstrap = new Bootstrap(() => makeRandom(3)('golden'), 20_000);
      const found = bootstrap.mean(values.map((value, i) => ({ value, group: String(i) })));
      // Two standard errors of a percentile of 20,000 resamples are under 3 % of the interval.
      const slack = 0.03 * (high[1] - low[0]);
      expect(found.low!).toBeGreaterThan(low[0] - slack);
      expect(found.low!).toBeLessThan(low[1] + slack);
      expect(found.high!).toBeGreaterThan(high[0] - slack);
      expect(found.high!).toBeLessThan(high[1] + slack);
    },
  );

  it.each(Object.entries(golden.wilcoxon))('signed-rank test: %s', (_, { differences, p }) => {
    expect(Math.abs(wilcoxon(differences) / p - 1)).toBeLessThan(1e-9);
  });

  it.each(golden.holm)('Holm $p', ({ p, holm: expected }) => {
    holm(p).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 14));
  });

  it.each(golden.curves)('area and crossings of $means', ({ eps, means, area, crossings }) => {
    const points = eps.map((at, i) => ({
      ...{ eps: at, mean: means[i]!, low: null, high: null, pooled: null, n: 1, undefined: 0 },
    }));
    const cells = eps.map((): Row[] => []);
    const found = summarise(points, cells, 'dice', 'higher');
    expect(found.area).toBeCloseTo(area, 12);
    expect(found.areaTo).toBe(eps.at(-1));
    expect(found.crossings.map(({ level }) => level)).toEqual([0.8, 0.5]);
    found.crossings.forEach((crossing, i) => {
      if (crossings[i] === null) expect(crossing.eps).toBeNull();
      else expect(Math.abs(crossing.eps! - crossings[i]!)).toBeLessThan(2e-5);
    });
  });
});
