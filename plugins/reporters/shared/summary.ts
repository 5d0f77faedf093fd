import type { Report } from '../../../core/index.ts';

const byWeight = ['error', 'fail', 'inconclusive', 'warn', 'pass', 'not-run'];

/** `1 fail, 3 pass`, the heaviest first; empty where there is nothing to count. */
export function tally(results: readonly { readonly verdict: string }[] = []): string {
  return byWeight
    .map((verdict) => [results.filter((result) => result.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict.replace('-', ' ')}`)
    .join(', ');
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
