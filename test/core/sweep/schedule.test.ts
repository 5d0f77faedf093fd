import { describe, expect, it } from 'vitest';
import { groupBudgets, groupGradients, trunkSteps } from '../../../core/sweep/schedule.ts';
import ifgsm from '../../../plugins/attacks/targeted-ifgsm.ts';

const paper = [0.5, 1, ...Array.from({ length: 16 }, (_, i) => 2 * (i + 1))];
const options = { stepSize: 1, steps: null };
const budgets = (eps: readonly number[]) => eps.map((value) => ({ norm: 'linf' as const, eps: value }));
const group = (eps: readonly number[], how = { share: true, exact: true }, chosen = options) =>
  groupBudgets(ifgsm.iteration! as never, chosen, budgets(eps), how);

describe('the step rule of the paper', () => {
  it('takes ceil(min(eps + 4, 1.25 eps)) steps, 327 in all', () => {
    const steps = group(paper).flatMap((one) => one.map((schedule) => schedule.steps));
    expect(steps).toEqual([1, 2, 3, 5, 8, 10, 13, 15, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36]);
    expect(steps.reduce((a, b) => a + b)).toBe(327);
  });

  it('counts eps in steps where the step is not 1', () => {
    const [[schedule]] = group([4], undefined, { stepSize: 0.5, steps: null }) as never as [
      [{ steps: number }],
    ];
    expect(schedule.steps).toBe(10);
  });
});

describe('sharing', () => {
  it('needs 69 gradients an image for the 18 intensities, 327 without', () => {
    const total = (share: boolean) =>
      group(paper, { share, exact: true })
        .flatMap(groupGradients)
        .reduce((a, b) => a + b);
    expect(total(true)).toBe(69);
    expect(total(false)).toBe(327);
  });

  it('parts a step earlier where sums may round', () => {
    const [inexact] = group([8], { share: true, exact: false });
    const [exact] = group([8]);
    expect(trunkSteps(exact![0])).toBe(9);
    expect(trunkSteps(inexact![0])).toBe(8);
  });

  it('never takes more trunk steps than the budget has', () => {
    expect(group([4])[0]!.map(trunkSteps)).toEqual([5]);
    expect(group([2])[0]!.map(trunkSteps)).toEqual([3]);
    expect(group([0.5])[0]!.map(trunkSteps)).toEqual([1]);
  });

  it('keeps budgets with different step lengths apart', () => {
    const relative = { ...ifgsm.iteration!, stepSize: (eps: number) => eps / 4 };
    const groups = groupBudgets(relative as never, options, budgets([4, 8]), { share: true, exact: true });
    expect(groups.map((one) => one.length)).toEqual([1, 1]);
  });
});
