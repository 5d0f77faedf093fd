import type { GateConfig } from '../config/types.ts';
import { suggestion } from '../errors/index.ts';
import type { Report } from '../vocabulary.ts';
import { broken, judge, type Judged } from './judge.ts';

/** Judges a rule on what was used: by one subject, or by the whole run. */
export function judgeCost({ cost, subject, max }: GateConfig, { subjects, cost: total }: Report): Judged[] {
  const used = (subject === undefined ? total : subjects.find(({ name }) => name === subject)!.cost)[cost!];
  const exact = { measured: used, low: used, high: used };
  const place = { ...exact, threshold: max!, ...(subject !== undefined && { subject }) };
  return [{ ...place, ...judge(exact, 'max', max!) }];
}

/** Judges a rule on the audit: the verdict of a check is that of the rule, and what was not run decides nothing. */
export function judgeChecks({ check, subject, attack }: GateConfig, { audit = [] }: Report): Judged[] {
  const names = [...new Set(audit.map((one) => one.check))];
  const found = audit.filter(
    (one) =>
      (check === 'all' || one.check === check) &&
      (subject === undefined || one.subject === subject) &&
      (attack === undefined || one.attack === attack),
  );
  if (found.length === 0)
    return [
      broken(
        `the report holds no such check: ${check === 'all' ? 'it has no audit' : suggestion(check!, names)}`,
      ),
    ];
  return found.map((one) => ({
    verdict: one.verdict === 'not-run' ? 'inconclusive' : one.verdict,
    message: `${one.check}: ${one.message}`,
    subject: one.subject,
    ...(one.attack !== undefined && { attack: one.attack }),
  }));
}
