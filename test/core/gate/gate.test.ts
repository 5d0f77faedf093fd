import { describe, expect, it } from 'vitest';
import type { AuditResult, GateConfig, GateResult, Report } from '../../../core/index.ts';
import { applyGates, gateExitCode } from '../../../core/gate/gate.ts';
import { readRules } from '../../../core/gate/rule.ts';
import { gateText } from '../../../core/gate/text.ts';
import { reportOf, spread } from './support.ts';

const apply = (gate: string | GateConfig, report: Report, baseline?: Report) =>
  applyGates(
    report,
    readRules([gate], () => undefined),
    baseline,
  );

const clean = spread(0.9, 0.01, 40, 'clean');
const attacked = spread(0.8, 0.01, 40, 'attacked');
const report = reportOf({ a: { 0: clean, 8: attacked } });
const verdict = (gate: string | GateConfig, over = report, baseline?: Report) =>
  apply(gate, over, baseline).map((result) => result.verdict);

describe('an absolute rule', () => {
  it('compares the bad end of the interval to pass, and the good end to fail', () => {
    const [{ low, high, measured } = {} as GateResult] = apply('dice >= 0 at eps 8', report);
    expect(low!).toBeLessThan(measured!);
    expect(high!).toBeGreaterThan(measured!);
    const at = (bound: number) => verdict(`dice >= ${bound} at eps 8`);
    expect(at(low!)).toEqual(['pass']);
    expect(at(low! + 1e-9)).toEqual(['inconclusive']);
    expect(at(high!)).toEqual(['inconclusive']);
    expect(at(high! + 1e-9)).toEqual(['fail']);
    expect(verdict(`dice <= ${high} at eps 8`)).toEqual(['pass']);
    expect(verdict(`dice <= ${low} at eps 8`)).toEqual(['inconclusive']);
    expect(verdict(`dice <= ${low! - 1e-9} at eps 8`)).toEqual(['fail']);
  });

  it('names what it judged', () => {
    expect(apply({ metric: 'dice', min: 0.95, eps: '8/255' }, report)).toMatchObject([
      {
        rule: 'dice >= 0.95 at eps 8/255',
        level: 'error',
        metric: 'dice',
        subject: 'a',
        attack: 'x',
        eps: 8,
        threshold: 0.95,
      },
    ]);
  });

  it('without a place means every place, the clean score once', () => {
    const two = reportOf({ a: { 0: clean, 8: attacked }, b: { 0: clean, 8: attacked } });
    const twice = { ...two, curves: [...two.curves, { ...two.curves[0]!, attack: 'y' }] };
    const places = apply('dice >= 0.5', twice).map(({ subject, attack, eps }) =>
      [subject, attack, eps].join(' '),
    );
    expect(places).toEqual(['a clean 0', 'a x 8', 'b clean 0', 'b x 8', 'a y 8']);
  });

  it('only warns at level warn', () => {
    expect(verdict({ metric: 'dice', min: 0.95, eps: 8, level: 'warn' })).toEqual(['warn']);
  });

  it('is inconclusive on one image, which has no interval', () => {
    expect(verdict('dice >= 0.1 at eps 8', reportOf({ a: { 8: [0.9] } }))).toEqual(['inconclusive']);
  });
});

describe('a rule relative to the clean score', () => {
  it('judges the paired drop', () => {
    expect(verdict('dice drop <= 0.12')).toEqual(['pass']);
    expect(verdict('dice drop <= 0.1 at eps 8')).toEqual(['inconclusive']);
    expect(verdict('dice drop <= 0.08 at eps 8')).toEqual(['fail']);
  });

  it('takes a rise for the worse where smaller is better', () => {
    const distances = reportOf(
      { a: { 0: spread(1, 0.1, 30, 1), 8: spread(3, 0.1, 30, 2) } },
      'hd95',
      'lower',
    );
    expect(apply('hd95 drop <= 1 at eps 8', distances)).toMatchObject([{ verdict: 'fail' }]);
    expect(apply('hd95 drop <= 1 at eps 8', distances)[0]!.measured).toBeCloseTo(2, 1);
  });
});

describe('a rule relative to a baseline', () => {
  const shifted = (by: number) => reportOf({ a: { 0: clean, 8: attacked.map((value) => value - by) } });

  it('judges the paired regression', () => {
    const rule = 'dice regression <= 0.005 at eps 8';
    expect(verdict(rule, shifted(0), report)).toEqual(['pass']);
    expect(verdict(rule, shifted(0.02), report)).toEqual(['fail']);
    expect(verdict(rule, shifted(-0.02), report)).toEqual(['pass']);
  });

  const { dataset } = report;
  it.each<[string, Report | undefined, RegExp]>([
    ['none', undefined, /no baseline/],
    ['interrupted', { ...report, status: 'interrupted' }, /interrupted/],
    [
      'another data set',
      { ...report, dataset: { ...dataset, fingerprint: 'f'.repeat(64) } },
      /another data set/,
    ],
    [
      'other images',
      { ...report, rows: report.rows.map((row) => ({ ...row, sample: `${row.sample}b` })) },
      /other images/,
    ],
    [
      'fewer images',
      { ...report, rows: report.rows.filter(({ sample }) => sample !== 'case-3') },
      /1 are in one/,
    ],
    ['another eps grid', { ...report, rows: report.rows.filter(({ eps }) => eps === 0) }, /eps grid/],
    ['no such subject', reportOf({ b: { 0: clean, 8: attacked } }), /baseline holds 0 of 40/],
  ])('is an error with %s', (_name, baseline, message) => {
    const [result] = apply('dice regression <= 0.005 at eps 8', report, baseline);
    expect(result).toMatchObject({ verdict: 'error', message: expect.stringMatching(message) as string });
  });
});

describe('what cannot be judged', () => {
  it.each<[string, Report, RegExp]>([
    ['dice >= 0.1 at subject b', report, /no subject 'b'/],
    ['dyce >= 0.1', report, /did you mean 'dice'/],
    ['dice >= 0.1 at attack y', report, /no attack 'y'/],
    ['dice >= 0.1 at eps 4', report, /nothing was measured there: the run has eps 0, 8/],
    ['dice >= 0.1 at eps 400', report, /larger than the intensity range/],
    ['dice >= 0.1 at eps 8', { ...report, status: 'interrupted' }, /interrupted/],
    ['dice >= 0.1 at eps 8', { ...report, rows: report.rows.slice(0, -1) }, /39 of 40 images/],
    ['dice >= 0.1 at eps 8', reportOf({ a: { 8: [0.9, null, 0.9] } }), /undefined for 1 of 3/],
    [
      'dice drop <= 0.1 at eps 8',
      reportOf({ a: { 0: [1, null, 1], 8: [0.9, 0.9, 0.9] } }),
      /undefined for 1 of 3/,
    ],
    ['check budget-held', report, /no such check/],
  ])('%s is an error', (gate, over, message) => {
    const results = apply(gate, over);
    expect(results).toMatchObject([{ verdict: 'error', message: expect.stringMatching(message) as string }]);
    expect(gateExitCode(results)).toBe(2);
  });
});

describe('other rules', () => {
  it('judge cost of the run or of a subject, exactly', () => {
    const { seconds } = report.cost;
    expect(verdict(`cost seconds <= ${seconds}`)).toEqual(['pass']);
    expect(verdict(`cost seconds <= ${seconds - 1} at subject a`)).toEqual(['fail']);
    expect(verdict({ cost: 'gradients', max: report.cost.gradients - 1 })).toEqual(['fail']);
  });

  it('take over the verdicts of the audit', () => {
    const line = (check: string, found: AuditResult['verdict'], subject = 'a'): AuditResult => ({
      ...{ check, subject, verdict: found, title: check, message: 'Seen.', advice: '', numbers: {} },
    });
    const audited = {
      ...report,
      audit: [line('one', 'pass'), line('two', 'fail'), line('three', 'not-run'), line('four', 'warn')],
    };
    expect(verdict('check all', audited)).toEqual(['pass', 'fail', 'inconclusive', 'warn']);
    expect(verdict({ check: 'two', level: 'warn' }, audited)).toEqual(['warn']);
    expect(verdict('check one at attack y', audited)).toEqual(['error']);
  });
});

describe('the exit code', () => {
  const of = (...verdicts: GateResult['verdict'][]) =>
    verdicts.map((one) => ({ verdict: one }) as GateResult);

  it('is 2 for an error, 1 for a failure, 3 for the inconclusive under strict', () => {
    expect(gateExitCode(of('pass', 'warn', 'inconclusive'))).toBe(0);
    expect(gateExitCode(of('pass', 'inconclusive'), true)).toBe(3);
    expect(gateExitCode(of('inconclusive', 'fail'), true)).toBe(1);
    expect(gateExitCode(of('fail', 'error'), true)).toBe(2);
    expect(gateExitCode([], true)).toBe(0);
  });
});

describe('gates as text', () => {
  it('start with the verdict, show the worst places, and keep to the width', () => {
    const many = reportOf({ a: Object.fromEntries([0, 1, 2, 4, 8].map((eps) => [eps, attacked])) });
    const text = gateText(apply('dice >= 0.9', many)).split('\n');
    expect(text[0]).toBe('fail          dice >= 0.9');
    expect(text.at(-1)).toBe('              and 2 more like these, of 5');
    const hostile = `${'word '.repeat(30)}\u001b[2J\n`;
    const long = gateText([
      { ...apply('dice >= 0.9', many)[0]!, message: hostile, rule: hostile, subject: hostile },
    ]);
    expect(long.split('\n').every((line) => /^[^\p{Cc}]{1,80}$/u.test(line))).toBe(true);
  });
});
