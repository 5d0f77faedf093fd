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
 * Bias-corrected and accelerated (BCa) bootstrap intervals of means. Groups, not values, are resampled and left out
 * for the acceleration, so that images of one patient count as one observation. What is drawn depends on the number
 * of groups alone and is drawn once: all intervals of a report move together, and thousands of them are cheap.
 *
 * @see Efron, Better bootstrap confidence intervals, JASA 82, 1987
 */
export class Bootstrap {
  readonly #random: () => Random;
  readonly #resamples: number;
  readonly #picks = new Map<number, Uint32Array>();

  /** @param random starts the stream of draws, the same at every call */
  constructor(random: () => Random, resamples = 2000) {
    this.#random = random;
    this.#resamples = resamples;
  }

  /** The interval of the mean at a coverage such as 0.95; bounds are null for fewer than two groups. */
  mean(data: readonly Grouped[], level = 0.95): Interval {
    const groups = sumGroups(data);
    if (groups.length < 2) return { low: null, high: null };
    const mean = ratio(groups);
    const draws = this.#draws(groups).sort();
    if (draws[0] === draws.at(-1)) return { low: mean, high: mean };
    const bias = normalQuantile(shareBelow(draws, mean));
    const acceleration = jackknifeAcceleration(groups);
    const tail = (1 - level) / 2;
    const bound = (p: number) => {
      const z = bias + normalQuantile(p);
      return quantile(draws, normalCdf(bias + z / (1 - acceleration * z)));
    };
    return { low: bound(tail), high: bound(1 - tail) };
  }

  #draws(groups: readonly GroupSum[]): Float64Array {
    const picks = this.#pick(groups.length);
    const sums = Float64Array.from(groups, ({ sum }) => sum);
    const counts = Float64Array.from(groups, ({ count }) => count);
    const draws = new Float64Array(this.#resamples);
    let at = 0;
    for (let draw = 0; draw < draws.length; draw++) {
      let sum = 0;
      let count = 0;
      for (let i = 0; i < groups.length; i++) {
        const group = picks[at++]!;
        sum += sums[group]!;
        count += counts[group]!;
      }
      draws[draw] = sum / count;
    }
    return draws;
  }

  #pick(groups: number): Uint32Array {
    const known = this.#picks.get(groups);
    if (known) return known;
    const random = this.#random();
    const made = Uint32Array.from({ length: groups * this.#resamples }, () => random.below(groups));
    this.#picks.set(groups, made);
    return made;
  }
}

/** The part of the draws below a value; those equal to it count half. */
function shareBelow(sorted: Float64Array, value: number): number {
  let below = 0;
  let equal = 0;
  for (const draw of sorted) {
    if (draw < value) below++;
    else if (draw === value) equal++;
  }
  return (below + equal / 2) / sorted.length;
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
