import type { GateConfig } from '../config/types.ts';
import { RobustError } from '../errors/index.ts';
import { parseRule } from './shorthand.ts';

/** What a metric is held to. */
export type Limit = 'min' | 'max' | 'drop' | 'regression';

/** A gate that is switched on, with what a person reads about it. */
export interface Rule {
  readonly text: string;
  readonly level: 'warn' | 'error';
  /** The file, and the line where it is known. */
  readonly origin?: string;
  readonly config: GateConfig;
}

const limits: readonly Limit[] = ['min', 'max', 'drop', 'regression'];

/**
 * The rules of a configuration that are not `off`.
 *
 * @param origin says where the rule at a position is configured
 * @throws RobustError CONFIG_INVALID for the first rule that makes no sense, with its place
 */
export function readRules(
  gates: readonly (string | GateConfig)[],
  origin: (index: number) => string | undefined,
): Rule[] {
  return gates.flatMap((gate, index) => {
    const from = origin(index);
    const where = from === undefined ? `gates.${index}` : `gates.${index} (${from})`;
    const config = typeof gate === 'string' ? parseRule(gate, where) : gate;
    checkRule(config, where);
    const { level = 'error' } = config;
    if (level === 'off') return [];
    const text = typeof gate === 'string' ? gate : describeRule(config);
    return [{ text, level, config, ...(from !== undefined && { origin: from }) }];
  });
}

/** The one limit of a rule on a metric or on cost. */
export function limitOf(config: GateConfig): { limit: Limit; value: number } {
  const limit = limits.find((each) => config[each] !== undefined)!;
  return { limit, value: config[limit]! };
}

function checkRule(config: GateConfig, where: string): void {
  const given = (keys: readonly (keyof GateConfig)[]) => keys.filter((key) => config[key] !== undefined);
  const invalid = (expected: string, received: readonly string[]) => {
    throw new RobustError('CONFIG_INVALID', {
      message: 'This gate makes no sense.',
      where,
      expected,
      received: received.length > 0 ? received.join(' and ') : 'none of them',
      next: "write it as text, such as 'dice >= 0.8 at eps 8'; docs/gating.md shows every form",
    });
  };
  const subjects = given(['metric', 'cost', 'check']);
  if (subjects.length !== 1) invalid('one of metric, cost and check', subjects);
  const allowed: readonly Limit[] = config.metric !== undefined ? limits : config.cost ? ['max'] : [];
  const set = given(limits);
  const wrong = set.filter((limit) => !allowed.includes(limit as Limit));
  if (wrong.length > 0) invalid(`no ${wrong[0]} beside ${subjects[0]}`, wrong);
  if (allowed.length > 0 && set.length !== 1) invalid(`one of ${allowed.join(', ')}`, set);
  const places = given(['attack', 'eps']);
  if (config.cost !== undefined && places.length > 0)
    invalid('cost of a subject or of the whole run', places);
  if (config.check !== undefined && config.eps !== undefined) invalid('a check without eps', ['eps']);
  if (config.drop !== undefined && config.eps === 0)
    invalid('an eps above 0: at 0 nothing can drop', ['eps 0']);
}

/** A rule as text, in the form that people may write. */
function describeRule(config: GateConfig): string {
  const { metric, cost, check, subject, attack, eps } = config;
  const places = [
    ...(eps === undefined ? [] : [`eps ${eps}`]),
    ...(subject === undefined ? [] : [`subject ${subject}`]),
    ...(attack === undefined ? [] : [`attack ${attack}`]),
  ];
  const at = places.length > 0 ? ` at ${places.join(', ')}` : '';
  if (check !== undefined) return `check ${check}${at}`;
  const { limit, value } = limitOf(config);
  const words = { min: '>=', max: '<=', drop: 'drop <=', regression: 'regression <=' }[limit];
  return `${cost === undefined ? metric : `cost ${cost}`} ${words} ${value}${at}`;
}
