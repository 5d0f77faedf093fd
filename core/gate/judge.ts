import type { GateResult } from '../vocabulary.ts';
import type { Limit } from './rule.ts';

/** A result without what every result of its rule has. */
export type Judged = Pick<GateResult, 'verdict' | 'message'> & Partial<GateResult>;

/** A quantity with its 95 % interval; one without chance has equal bounds. */
export type Measured = Pick<GateResult, 'measured' | 'low' | 'high'>;

/**
 * Compares the interval, not the mean, with a limit: a rule passes when even the bad end of the interval keeps it,
 * fails when even the good end breaks it, and is inconclusive in between. So a rule never passes by luck, and a
 * failure is more than noise.
 */
export function judge({ measured, low, high }: Measured, limit: Limit, threshold: number): Judged {
  const least = limit === 'min';
  const bounds = low === high ? '' : ` [${digits(low)}, ${digits(high)}]`;
  const words = `${digits(measured)}${bounds}, wanted ${least ? '>=' : '<='} ${threshold}`;
  if (low === null || high === null)
    return { verdict: 'inconclusive', message: `${words}: an interval needs two images or more` };
  const [bad, good] = least ? [low, high] : [high, low];
  const keeps = (value: number) => (least ? value >= threshold : value <= threshold);
  if (keeps(bad)) return { verdict: 'pass', message: words };
  if (!keeps(good)) return { verdict: 'fail', message: words };
  return { verdict: 'inconclusive', message: `${words}: the limit lies inside the interval` };
}

/** A rule that cannot be judged. */
export function broken(message: string, place: Partial<GateResult> = {}): Judged {
  return { verdict: 'error', message, ...place };
}

/** Four significant digits. */
function digits(value: number | null): string {
  return value === null ? 'n/a' : String(Number(value.toPrecision(4)));
}
