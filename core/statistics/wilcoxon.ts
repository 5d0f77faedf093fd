import cdf from '@stdlib/stats-base-dists-normal-cdf';

/** Up to this many differences the distribution is counted out; above, it is normal to three digits and more. */
const EXACT = 50;

/**
 * Two-sided p-value of Wilcoxon's signed-rank test: how likely are ranks as one-sided as these if a difference is as
 * often up as down? Zero differences are ranked, then left out (Pratt's rule): images that did not change weaken the
 * evidence. Exact up to 50 differences, ties included; above that the normal approximation with the variance of
 * these very ranks, without continuity correction. 1 when nothing differs.
 *
 * @see Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1, 1945
 * @see Pratt, Remarks on zeros and ties in the Wilcoxon signed rank procedures, JASA 54, 1959
 */
export function wilcoxon(differences: readonly number[]): number {
  // Differences that are equal in exact arithmetic must be tied.
  const rounded = differences.map((value) => Math.round(value * 1e12) / 1e12);
  const ranks = doubledRanks(rounded.map(Math.abs));
  const counted = ranks.filter((_, i) => rounded[i] !== 0);
  if (counted.length === 0) return 1;
  const positive = ranks.reduce((sum, rank, i) => (rounded[i]! > 0 ? sum + rank : sum), 0);
  return counted.length <= EXACT ? exact(counted, positive) : approximate(counted, positive);
}

/** Twice the rank of each value, ties sharing their mean: whole numbers. */
function doubledRanks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let first = 0, last = 0; first < order.length; first = last) {
    const tied = values[order[first]!];
    while (last < order.length && values[order[last]!] === tied) last++;
    for (let i = first; i < last; i++) ranks[order[i]!] = first + 1 + last;
  }
  return ranks;
}

/** The sum of ranks with random signs, counted out rank by rank. */
function exact(ranks: readonly number[], observed: number): number {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const probability = new Float64Array(total + 1);
  probability[0] = 1;
  let reach = 0;
  for (const rank of ranks) {
    reach += rank;
    for (let sum = reach; sum >= 0; sum--) {
      probability[sum] = (probability[sum]! + (sum >= rank ? probability[sum - rank]! : 0)) / 2;
    }
  }
  // By symmetry the smaller tail is the lower one of the smaller sum.
  const tail = probability.subarray(0, Math.min(observed, total - observed) + 1);
  return Math.min(1, 2 * tail.reduce((sum, part) => sum + part, 0));
}

function approximate(ranks: readonly number[], observed: number): number {
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / 2;
  const variance = ranks.reduce((sum, rank) => sum + rank * rank, 0) / 4;
  return 2 * cdf(-Math.abs(observed - mean) / Math.sqrt(variance), 0, 1);
}
