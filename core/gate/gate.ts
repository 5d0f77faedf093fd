import { suggestion } from '../errors/index.ts';
import type { GateResult, Report } from '../vocabulary.ts';
import { broken, type Judged } from './judge.ts';
import { metricGates } from './metric.ts';
import { judgeChecks, judgeCost } from './other.ts';
import type { Rule } from './rule.ts';

/**
 * Applies rules to a report: one result for every subject, attack and eps that a rule speaks of. What cannot be
 * judged (a place that does not exist, missing rows, undefined values, a baseline that does not fit) is an error,
 * never a pass.
 */
export function applyGates(report: Report, rules: readonly Rule[], baseline?: Report): GateResult[] {
  const judgeMetric = metricGates(report, baseline);
  const known = report.subjects.map(({ name }) => name);
  const judgedBy = ({ config }: Rule): Judged[] => {
    if (report.status !== 'complete') return [broken('the run was interrupted')];
    if (config.subject !== undefined && !known.includes(config.subject))
      return [broken(`there is no subject '${config.subject}': ${suggestion(config.subject, known)}`)];
    if (config.check !== undefined) return judgeChecks(config, report);
    return config.cost === undefined ? judgeMetric(config) : judgeCost(config, report);
  };
  return rules.flatMap((rule) => judgedBy(rule).map((judged) => resultOf(rule, judged)));
}

function resultOf({ text, level, origin }: Rule, judged: Judged): GateResult {
  const unknown = { measured: null, low: null, high: null, threshold: null };
  // A rule at level warn cannot fail, only warn.
  const verdict = judged.verdict === 'fail' && level === 'warn' ? 'warn' : judged.verdict;
  return { rule: text, level, ...unknown, ...judged, verdict, ...(origin !== undefined && { origin }) };
}

/**
 * The exit code of gates: 2 when a rule could not be judged, else 1 when one failed, else 3 when one is inconclusive
 * and `strict` says that this counts, else 0.
 */
export function gateExitCode(results: readonly GateResult[], strict = false): 0 | 1 | 2 | 3 {
  const some = (verdict: GateResult['verdict']) => results.some((result) => result.verdict === verdict);
  if (some('error')) return 2;
  if (some('fail')) return 1;
  return strict && some('inconclusive') ? 3 : 0;
}
