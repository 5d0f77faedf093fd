import { groupBy, short, type Comparison, type Report } from '../../../core/index.ts';
import type { Look } from './curves.ts';
import { table } from './draw.ts';
import { halvings, levelName } from './levels.ts';

/** Paired differences of the first metric: one line for each subject and attack, one block for each reference. */
export function differences({ curves, comparisons = [] }: Report, look: Look): string[] {
  const metric = curves[0]?.metric;
  const own = comparisons.filter((one) => one.metric === metric);
  const references = [...new Set(own.map(({ reference }) => reference))];
  return references.map((reference) =>
    block(
      own.filter((one) => one.reference === reference),
      look,
    ),
  );
}

function block(own: readonly Comparison[], { columns, digits, style }: Look): string {
  const { metric, reference } = own[0]!;
  const eps = [...new Set(own.map((one) => one.eps))].sort((a, b) => a - b);
  const levels = halvings(eps);
  const shown = [...new Set([levels[0]!, ...levels.slice(-5)])];
  const lines = groupBy(
    own.filter(({ eps }) => eps > 0),
    ({ subject, attack }) => JSON.stringify([subject, attack]),
  );
  const severalAttacks = new Set([...lines.values()].map(([one]) => one!.attack)).size > 1;
  const rows = [...lines.values()].map((line) => {
    const { subject, attack } = line[0]!;
    const clean = own.filter((one) => one.eps === 0 && one.subject === subject);
    return [
      short(severalAttacks ? `${subject}, ${attack}` : subject, 24),
      ...shown.map((eps) =>
        difference(
          [...clean, ...line].find((one) => one.eps === eps),
          digits,
        ),
      ),
    ];
  });
  if (rows.length === 0) return '';
  return [
    style.bold(short(`${metric}: difference to ${reference}, image by image`, columns)),
    table([['', ...shown.map((eps) => `${levelName(eps)} `)], ...rows], 1),
    style.dim(short('*: p < 0.05 (signed-rank test, corrected over all cells after Holm)', columns)),
  ].join('\n');
}

function difference(one: Comparison | undefined, digits: number): string {
  if (!one) return '';
  if (one.difference === null) return 'n/a ';
  const sign = one.difference < 0 ? '' : '+';
  return `${sign}${one.difference.toFixed(digits)}${one.pHolm !== null && one.pHolm < 0.05 ? '*' : ' '}`;
}
