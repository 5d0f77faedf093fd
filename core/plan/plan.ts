import { parseEps } from '../config/index.ts';
import { RobustError } from '../errors/index.ts';
import { groupBudgets, groupGradients, isDyadic, trunkSteps } from '../sweep/schedule.ts';
import type { Budget, Dataset } from '../vocabulary.ts';
import type { AttackSpec, RunSpec } from './spec.ts';

/** One cell of the matrix subject x attack x budget. */
export interface Cell {
  /** `subject/attack/eps`, the same in every run of a configuration. */
  readonly id: string;
  readonly subject: string;
  readonly attack: string;
  readonly eps: number;
  /** Gradient steps, and how many of them smaller budgets take too; null for attacks that are not iterative. */
  readonly steps: number | null;
  readonly shared: number | null;
  readonly stepSize: number | null;
  /** Gradients per image beyond those that smaller budgets need too; null where only the attack knows. */
  readonly gradients: number | null;
}

/** What a run will do. */
export interface Plan {
  readonly cells: readonly Cell[];
  /** Test images. */
  readonly images: number;
  /** Gradient evaluations in all, counted per image; null where only the attacks know. */
  readonly gradients: number | null;
}

/**
 * The cells of a run.
 *
 * @throws RobustError FILTER_EMPTY when the filter matches no cell; BUDGET_INVALID for an eps outside the range.
 */
export function makePlan(spec: RunSpec, dataset: Dataset): Plan {
  const eps = [...new Set(spec.eps.map((value) => parseEps(value, dataset.domain)))].sort((a, b) => a - b);
  const all = spec.subjects.flatMap(({ name }) =>
    spec.attacks.flatMap((attack) => cellsOf(name, attack, eps, spec, dataset)),
  );
  const { filter } = spec;
  const cells = filter === null ? all : all.filter(({ id }) => id.includes(filter));
  if (cells.length === 0) {
    throw new RobustError('FILTER_EMPTY', {
      message: all.length > 0 ? `No cell's id contains '${filter}'.` : 'There is nothing to run.',
      where: all.length > 0 ? 'filter' : 'subjects, attacks and eps',
      expected: all.length > 0 ? `a part of an id such as ${all[0]!.id}` : 'at least one of each',
      next: '`robust plan` lists all cells',
    });
  }
  const images = Math.min(dataset.test.ids.length, spec.limit ?? Infinity);
  const perImage = cells.reduce<number | null>((sum, { gradients }) => plus(sum, gradients), 0);
  return { cells, images, gradients: perImage === null ? null : perImage * images };
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function cellsOf(
  subject: string,
  { label, plugin, options }: AttackSpec,
  eps: readonly number[],
  { share }: RunSpec,
  { domain }: Dataset,
): Cell[] {
  const cell = (value: number) => ({
    id: `${subject}/${label}/${value}`,
    subject,
    attack: label,
    eps: value,
  });
  const unknown = { steps: null, shared: null, stepSize: null, gradients: null };
  if (!plugin.iteration) return eps.map((value) => ({ ...cell(value), ...unknown }));
  const budgets: Budget[] = eps
    .filter((value) => value > 0)
    .map((value) => ({ norm: plugin.norm, eps: value }));
  const exact = isDyadic(domain.step);
  const scheduled = groupBudgets(plugin.iteration, options, budgets, { share, exact }).flatMap((group) => {
    const gradients = groupGradients(group);
    return group.map((schedule, index) => ({
      ...cell(schedule.budget.eps),
      steps: schedule.steps,
      shared: share ? trunkSteps(schedule) : 0,
      stepSize: schedule.stepSize,
      gradients: gradients[index]!,
    }));
  });
  const zero = eps
    .filter((value) => value === 0)
    .map((value) => ({ ...cell(value), ...unknown, steps: 0, gradients: 0 }));
  return [...zero, ...scheduled].sort((a, b) => a.eps - b.eps);
}
