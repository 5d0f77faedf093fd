import { stripVTControlCharacters } from 'node:util';
import { groupBy } from '../statistics/group.ts';
import type { GateResult } from '../vocabulary.ts';

type Verdict = GateResult['verdict'];

/** From the worst to the best. */
const order: readonly Verdict[] = ['error', 'fail', 'inconclusive', 'warn', 'pass'];

/** The worst verdict of gates; pass when there are none. */
export function worstVerdict(results: readonly GateResult[]): Verdict {
  return order.find((verdict) => results.some((result) => result.verdict === verdict)) ?? 'pass';
}

/** One line about gates, with the verdict that colours it. */
export interface GateLine {
  readonly verdict: Verdict;
  readonly text: string;
}

/**
 * Gates as lines of text for people: each rule with its verdict, then the places that decide it, the worst first.
 *
 * @param places how many places of a rule are shown
 */
export function gateLines(results: readonly GateResult[], columns = 80, places = 3): GateLine[] {
  const rules = [...groupBy(results, ({ rule }) => rule).values()];
  return rules.flatMap((own) => {
    const verdict = worstVerdict(own);
    const { rule, level } = own[0]!;
    const sorted = own.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
    const deciding = sorted.filter((one) => one.verdict === verdict);
    const shown = deciding.slice(0, places);
    const rest = deciding.length - shown.length;
    const lines = [
      wrap(`${verdict.padEnd(13)} ${plain(rule)}${level === 'warn' ? ' (level warn)' : ''}`, columns),
      ...shown.map((one) => wrap(`${placeOf(one)}${plain(one.message)}`, columns)),
      ...(rest > 0 ? [`${indent}and ${rest} more like these, of ${own.length}`] : []),
    ];
    return lines.map((text) => ({ verdict, text }));
  });
}

const indent = ' '.repeat(14);

function placeOf({ subject, attack, eps }: GateResult): string {
  const parts = [subject, attack, eps === undefined || eps === 0 ? undefined : `eps ${eps}`];
  const named = parts.filter((part) => part !== undefined).map(plain);
  return `${indent}${named.join(', ')}${named.length > 0 ? ': ' : ''}`;
}

/** One line of plain text: names come from files, and may hold anything. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '?');
}

/** Breaks a line at spaces, or anywhere if it must; what follows is indented. */
function wrap(text: string, columns: number): string {
  const width = Math.max(columns, 40);
  if (text.length <= width) return text;
  const space = text.lastIndexOf(' ', width);
  const at = space > indent.length ? space : width;
  return `${text.slice(0, at)}\n${wrap(`${indent}${text.slice(at).trimStart()}`, columns)}`;
}
