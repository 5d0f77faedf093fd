import { describe, expect, it } from 'vitest';
import { makeRandom } from '../../../core/random.ts';
import { Bootstrap } from '../../../core/statistics/bootstrap.ts';

const alone = (values: readonly number[]) => values.map((value, i) => ({ value, group: String(i) }));
const bootstrap = (resamples?: number, key = 'a') => new Bootstrap(() => makeRandom(1)(key), resamples);

describe('Bootstrap', () => {
  it('matches the normal interval of a large symmetric sample', () => {
    const draw = makeRandom(7)('sample');
    const values = Array.from({ length: 400 }, () => 5 + draw.normal());
    const mean = values.reduce((a, b) => a + b) / 400;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 399);
    const { low, high } = bootstrap(9999).mean(alone(values));
    expect(low).toBeCloseTo(mean - (1.96 * deviation) / 20, 2);
    expect(high).toBeCloseTo(mean + (1.96 * deviation) / 20, 2);
  });

  // SciPy 1.17.1, stats.bootstrap((x,), np.mean, method='BCa', n_resamples=200000), over three random states:
  // low 0.3370 each time, high 1.325 to 1.347.
  it('leans towards the long tail of a skewed sample, as the BCa interval of SciPy', () => {
    const values = [0.1, 0.2, 0.25, 0.3, 0.32, 0.4, 0.45, 0.6, 0.9, 2.5];
    const { low, high } = bootstrap(50_000).mean(alone(values));
    expect(low).toBeGreaterThan(0.33);
    expect(low).toBeLessThan(0.344);
    expect(high).toBeGreaterThan(1.31);
    expect(high).toBeLessThan(1.37);
  });

  it('is the value itself where all values are equal, and undefined for fewer than two groups', () => {
    expect(bootstrap().mean(alone([0.5, 0.5, 0.5]))).toEqual({ low: 0.5, high: 0.5 });
    expect(bootstrap().mean(alone([0.5]))).toEqual({ low: null, high: null });
    expect(
      bootstrap().mean([
        { value: 1, group: 'p' },
        { value: 2, group: 'p' },
      ]),
    ).toEqual({ low: null, high: null });
  });

  it('resamples groups: repeating every image of a patient does not narrow the interval', () => {
    const patients = [0.1, 0.4, 0.5, 0.7, 0.9, 0.3].map((value, i) => ({ value, group: `p${i}` }));
    const repeated = patients.flatMap((one) => [one, one, one, one]);
    expect(bootstrap().mean(repeated)).toEqual(bootstrap().mean(patients));
    const { low, high } = bootstrap().mean(repeated);
    const naive = bootstrap().mean(alone(repeated.map(({ value }) => value)));
    expect(high! - low!).toBeGreaterThan(1.5 * (naive.high! - naive.low!));
  });

  it('is a function of its seed', () => {
    const values = alone([0.1, 0.5, 0.7, 0.2]);
    expect(bootstrap().mean(values)).toEqual(bootstrap().mean(values));
    expect(bootstrap(2000, 'b').mean(values)).not.toEqual(bootstrap().mean(values));
  });
});
