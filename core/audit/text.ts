import { Chalk, type ChalkInstance } from 'chalk';
import { plain, wrap } from '../text.ts';
import type { AuditResult } from '../vocabulary.ts';

const indent = ' '.repeat(6);

/**
 * The masking audit as text for people: one line, and what did not pass with its numbers and what to do about it.
 *
 * @param columns of the terminal
 */
export function auditText(
  results: readonly AuditResult[],
  columns = 80,
  style: ChalkInstance = new Chalk({ level: 0 }),
): string {
  const paint = { fail: style.red, warn: style.yellow };
  const shown = (['fail', 'warn'] as const).flatMap((verdict) =>
    results
      .filter((one) => one.verdict === verdict)
      .flatMap((one) => [
        paint[verdict](verdict) + wrap(headingOf(one), columns, indent).slice(verdict.length),
        ...[one.message, one.advice].map((text) => wrap(indent + plain(text), columns, indent)),
      ]),
  );
  return [wrap(summary(results), columns, indent), ...shown].join('\n');
}

function headingOf({ verdict, check, subject, attack }: AuditResult): string {
  const place = attack === undefined ? subject : `${subject} under ${attack}`;
  return plain(`${verdict.padEnd(indent.length)}${check}: ${place}`);
}

function summary(results: readonly AuditResult[]): string {
  const count = (verdict: AuditResult['verdict']) => results.filter((one) => one.verdict === verdict).length;
  const others = [
    [count('fail'), 'failed'],
    [count('warn'), 'warned'],
    [count('not-run'), 'not run'],
  ] as const;
  const rest = others.filter(([n]) => n > 0).map(([n, what]) => `, ${n} ${what}`);
  return `audit: ${count('pass')} of ${results.length} checks passed${rest.join('')}`;
}
