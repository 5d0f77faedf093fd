import cdf from '@stdlib/stats-base-dists-normal-cdf';
import quantileOf from '@stdlib/stats-base-dists-normal-quantile';
import type { Random } from '../vocabulary.ts';

const normalCdf = (x: number) => cdf(x, 0, 1);
const normalQuantile = (p: number) => quantileOf(p, 0, 1);

/** A confidence interval; null bounds where it is undefined. */
export interface Interval {
  readonly low: number | null;
  readonly high: number | null;
}

/** A value and the group it belongs to; values of one group are resampled together. */
export interface Grouped {
  readonly value: number;
  readonly group: string;
}

/**
 * Bias-corrected and accelerated (BCa) bootstrap interval of a mean. Groups, not values, are resampled and left out
 * for the acceleration, so that images of one patient count as one observation.
 *
 * @param level Coverage, such as 0.95.
 * @see Efron, Better bootstrap confidence intervals, JASA 82, 1987
 */
export function bootstrapMean(
  data: readonly Grouped[],
  random: Random,
  level = 0.95,
  resamples = 2000,
): Interval {
  const groups = sumGroups(data);
  if (groups.length < 2) return { low: null, high: null };
  const mean = ratio(groups);
  const draws = Float64Array.from({ length: resamples }, () => resampledMean(groups, random)).sort();
  if (draws[0] === draws[resamples - 1]) return { low: mean, high: mean };
  const below = draws.filter((draw) => draw < mean).length + draws.filter((draw) => draw === mean).length / 2;
  const bias = normalQuantile(below / resamples);
  const acceleration = jackknifeAcceleration(groups);
  const tail = (1 - level) / 2;
  const bound = (p: number) => {
    const z = bias + normalQuantile(p);
    return quantile(draws, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return { low: bound(tail), high: bound(1 - tail) };
}

interface GroupSum {
  readonly sum: number;
  readonly count: number;
}

function sumGroups(data: readonly Grouped[]): GroupSum[] {
  const groups = new Map<string, GroupSum>();
  for (const { value, group } of data) {
    const { sum, count } = groups.get(group) ?? { sum: 0, count: 0 };
    groups.set(group, { sum: sum + value, count: count + 1 });
  }
  return [...groups.values()];
}

function ratio(groups: readonly GroupSum[]): number {
  let sum = 0;
  let count = 0;
  for (const group of groups) {
    sum += group.sum;
    count += group.count;
  }
  return sum / count;
}

function resampledMean(groups: readonly GroupSum[], random: Random): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < groups.length; i++) {
    const group = groups[random.below(groups.length)]!;
    sum += group.sum;
    count += group.count;
  }
  return sum / count;
}

function jackknifeAcceleration(groups: readonly GroupSum[]): number {
  const sum = groups.reduce((total, group) => total + group.sum, 0);
  const count = groups.reduce((total, group) => total + group.count, 0);
  const left = groups.map((group) => (sum - group.sum) / (count - group.count));
  const centre = left.reduce((total, value) => total + value, 0) / left.length;
  const cubes = left.reduce((total, value) => total + (centre - value) ** 3, 0);
  const squares = left.reduce((total, value) => total + (centre - value) ** 2, 0);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** Linear interpolation between order statistics, as NumPy's default. */
function quantile(sorted: Float64Array, p: number): number {
  const position = Math.min(Math.max(p, 0), 1) * (sorted.length - 1);
  const lower = Math.floor(position);
  const upper = Math.min(lower + 1, sorted.length - 1);
  return sorted[lower]! + (position - lower) * (sorted[upper]! - sorted[lower]!);
}
