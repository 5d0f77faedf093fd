import type { Iteration, OptionsOf, OptionsSchema } from '../plugin.ts';
import type { Budget } from '../vocabulary.ts';

/** The gradient steps of one budget of an iterative attack. */
export interface Schedule {
  readonly budget: Budget;
  /** Gradient steps in all. */
  readonly steps: number;
  readonly stepSize: number;
  /** Steps in which the ball cannot bind, so that every larger budget takes them too. */
  readonly free: number;
}

/** Budgets that walk one trajectory, ascending in eps. */
export type Group = readonly [Schedule, ...Schedule[]];

/**
 * Groups budgets by step length. Within `floor(eps / stepSize)` steps no pixel can leave the ball, so budgets with
 * one step length and one start have equal iterates that far, and one trunk serves them all.
 *
 * @param exact Whether images and steps are whole multiples of a power of two, so that sums carry no rounding; if
 * not, budgets part a step earlier, before rounding could decide whether the ball binds.
 */
export function groupBudgets(
  iteration: Iteration,
  options: OptionsOf<OptionsSchema>,
  budgets: readonly Budget[],
  { share, exact }: { share: boolean; exact: boolean },
): Group[] {
  const schedules = budgets.map((budget) => schedule(iteration, options, budget, exact));
  if (!share) return schedules.map((one) => [one]);
  const groups = new Map<number, [Schedule, ...Schedule[]]>();
  for (const one of schedules.sort((a, b) => a.budget.eps - b.budget.eps)) {
    const group = groups.get(one.stepSize);
    if (group) group.push(one);
    else groups.set(one.stepSize, [one]);
  }
  return [...groups.values()];
}

function schedule(
  iteration: Iteration,
  options: OptionsOf<OptionsSchema>,
  budget: Budget,
  exact: boolean,
): Schedule {
  const stepSize = iteration.stepSize(budget.eps, options);
  const ratio = budget.eps / stepSize;
  const free =
    exact && isDyadic(stepSize) && isDyadic(budget.eps) ? Math.floor(ratio) : Math.floor(ratio - 1e-3);
  return { budget, stepSize, steps: iteration.steps(budget.eps, options), free: Math.max(0, free) };
}

/** Multiples of 1/256 up to 2^15 add without rounding in float32. */
export function isDyadic(value: number): boolean {
  return Number.isInteger(value * 256);
}

/** Steps that a budget takes along the trunk: the free ones and the first one that its ball may clip. */
export function trunkSteps({ steps, free }: Schedule): number {
  return Math.min(steps, free + 1);
}

/** Gradient evaluations per image that a group needs, and those each budget adds to the smaller ones. */
export function groupGradients(group: Group): number[] {
  let walked = 0;
  return group.map((schedule) => {
    const trunk = Math.max(walked, trunkSteps(schedule));
    const added = trunk - walked + schedule.steps - trunkSteps(schedule);
    walked = trunk;
    return added;
  });
}
