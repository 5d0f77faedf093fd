import type { GateResult, Report } from '../../../core/index.ts';

const weights = ['error', 'fail', 'inconclusive', 'warn', 'not-run', 'pass'];

const byWeightOf = ({ verdict }: { readonly verdict: string }) => weights.indexOf(verdict);

/** `1 fail, 3 pass`, the heaviest first; empty where there is nothing to count. */
export function tally(results: readonly { readonly verdict: string }[] = []): string {
  return weights
    .map((verdict) => [results.filter((result) => result.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict.replace('-', ' ')}`)
    .join(', ');
}

/** What needs attention first, otherwise as it is. */
export function byWeight<T extends { readonly verdict: string }>(results: readonly T[]): T[] {
  return results.toSorted((a, b) => byWeightOf(a) - byWeightOf(b));
}

/** A gate at one place, or at all places where its rule holds. */
export interface Digest {
  readonly gate: GateResult;
  readonly places: number;
}

/** Every place that did not pass, the heaviest first, and then one line for each rule of what passed. */
export function digest(gates: readonly GateResult[]): Digest[] {
  const passed = gates.filter(({ verdict }) => verdict === 'pass');
  const others = byWeight(gates.filter(({ verdict }) => verdict !== 'pass'));
  const rules = [...new Set(passed.map(({ rule }) => rule))];
  return [
    ...others.map((gate) => ({ gate, places: 1 })),
    ...rules.map((rule) => {
      const own = passed.filter((gate) => gate.rule === rule);
      return { gate: own[0]!, places: own.length };
    }),
  ];
}

/** First and last score of each curve of the first metric: what a reader wants to know first. */
export interface Fall {
  readonly subject: string;
  readonly attack: string;
  readonly metric: string;
  readonly eps: number;
  readonly clean: number | null;
  readonly attacked: number | null;
}

export function falls({ curves }: Pick<Report, 'curves'>): Fall[] {
  return curves
    .filter(({ metric, points }) => metric === curves[0]!.metric && points.length > 1)
    .map(({ subject, attack, metric, points }) => {
      const last = points.at(-1)!;
      const clean = points.find(({ eps }) => eps === 0)?.mean ?? null;
      return { subject, attack, metric, eps: last.eps, clean, attacked: last.mean };
    });
}
