import { expect, it } from 'vitest';
import { applyGates } from '../../../core/gate/gate.ts';
import { readRules } from '../../../core/gate/rule.ts';
import { reportOf, spread } from './support.ts';

const IMAGES = 123;
const RUNS = 300;
const before = spread(0.9, 0.05, IMAGES, 'baseline');

/** One report in which every subject is a run of its own: together they share their resamples. */
const runs = (scores: (run: number) => number[]) =>
  reportOf(Object.fromEntries(Array.from({ length: RUNS }, (_, run) => [`run ${run}`, { 8: scores(run) }])));
const baseline = runs(() => before);

/** How often a regression gate fails and passes, over runs whose images are worse by `drop`, give or take 0.01. */
function rates(margin: number, drop: number): { fails: number; passes: number } {
  const rules = readRules([`dice regression <= ${margin}`], () => undefined);
  const report = runs((run) => {
    const jitter = spread(-drop, 0.01, IMAGES, `run ${run}`);
    return before.map((value, i) => value + jitter[i]!);
  });
  const verdicts = applyGates(report, rules, baseline).map(({ verdict }) => verdict);
  expect(verdicts).toHaveLength(RUNS);
  const rate = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length / RUNS;
  return { fails: rate('fail'), passes: rate('pass') };
}

it('a gate without a margin raises a false alarm in at most 7 % of runs', () => {
  const { fails } = rates(0, 0);
  expect(fails).toBeLessThanOrEqual(0.07);
  // One tail of a 95 % interval: an alarm that never sounds would prove nothing.
  expect(fails).toBeGreaterThan(0.005);
});

it('a gate with a margin passes what did not change, and raises no false alarm', () => {
  expect(rates(0.005, 0)).toEqual({ fails: 0, passes: 1 });
});

it.each([0, 0.005])('a gate with margin %d finds a drop of 0.01 in at least 99 of 100 runs', (margin) => {
  expect(rates(margin, 0.01).fails).toBeGreaterThanOrEqual(0.99);
});
