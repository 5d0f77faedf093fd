import { Chalk, type ChalkInstance } from 'chalk';
import { groupBy } from '../statistics/group.ts';
import { plain, wrap } from '../text.ts';
import type { GateResult } from '../vocabulary.ts';

type Verdict = GateResult['verdict'];

/** From the worst to the best. */
const order: readonly Verdict[] = ['error', 'fail', 'inconclusive', 'warn', 'pass'];

/** The worst verdict of gates; pass when there are none. */
export function worstVerdict(results: readonly GateResult[]): Verdict {
  return order.find((verdict) => results.some((result) => result.verdict === verdict)) ?? 'pass';
}

/** Places of a rule that are shown. */
const PLACES = 3;

/**
 * Gates as text for people: each rule with its verdict, the worst first, then the places that decide it. A rule that
 * holds at many places takes one line.
 *
 * @param columns of the terminal
 */
export function gateText(
  results: readonly GateResult[],
  columns = 80,
  style: ChalkInstance = new Chalk({ level: 0 }),
): string {
  const paint = {
    pass: style.green,
    warn: style.yellow,
    inconclusive: style.yellow,
    fail: style.red,
    error: style.red,
  };
  const weight = (own: readonly GateResult[]) => order.indexOf(worstVerdict(own));
  const rules = [...groupBy(results, ({ rule }) => rule).values()].sort((a, b) => weight(a) - weight(b));
  const lines = rules.flatMap((own) => {
    const verdict = worstVerdict(own);
    const { rule, level } = own[0]!;
    const deciding = own.filter((one) => one.verdict === verdict);
    const holds = verdict === 'pass' && own.length > 1;
    const shown = deciding.slice(0, holds ? 0 : PLACES);
    const rest = deciding.length - shown.length;
    const notes = [...(level === 'warn' ? ['level warn'] : []), ...(holds ? [`${own.length} places`] : [])];
    const note = notes.length > 0 ? ` (${notes.join(', ')})` : '';
    const heading = wrap(`${verdict.padEnd(indent.length)}${plain(rule)}${note}`, columns, indent);
    return [
      heading.replace(verdict, paint[verdict](verdict)),
      ...shown.map((one) => wrap(`${placeOf(one)}${plain(one.message)}`, columns, indent)),
      ...(rest > 0 && !holds ? [`${indent}and ${rest} more like these, of ${own.length}`] : []),
    ];
  });
  return lines.join('\n');
}

const indent = ' '.repeat(14);

function placeOf({ subject, attack, eps }: GateResult): string {
  const parts = [subject, attack, eps === undefined || eps === 0 ? undefined : `eps ${eps}`];
  const named = parts.filter((part) => part !== undefined).map(plain);
  return `${indent}${named.join(', ')}${named.length > 0 ? ': ' : ''}`;
}
