import { plain, worstVerdict, type Report } from '../../../core/index.ts';
import { commandOf } from './command.ts';
import { costOf, count } from './cost.ts';
import { byWeight, digest, falls, tally } from './summary.ts';
import { decimal, placeOf } from './text.ts';

const signs: Readonly<Record<string, string>> = {
  pass: '✅',
  warn: '⚠️',
  fail: '❌',
  inconclusive: '❔',
  error: '❌',
  'not-run': '➖',
};

/** A report as Markdown (GitHub's dialect): verdicts, scores, what to look at, how to do it again. */
export function markdownOf(report: Report): string {
  const { dataset, status, gates = [], audit = [] } = report;
  const title = gates.length > 0 ? `${signs[worstVerdict(gates)]} ${worstVerdict(gates)}: ` : '';
  const interrupted =
    status === 'interrupted' ? ['The run was interrupted: only finished images are counted.'] : [];
  return [
    `## ${title}robustness on ${text(dataset.name)}`,
    `${count(dataset.images)} images. ${gates.length > 0 ? `Gates: ${tally(gates)}. ` : ''}${audit.length > 0 ? `Audit: ${tally(audit)}.` : ''}`.trim(),
    ...interrupted,
    ...scores(report),
    ...gateTable(gates),
    ...auditTable(audit),
    `${costOf(report)}. Again:`,
    // Four spaces make code that no backtick can end.
    `    ${plain(commandOf(report))}`,
  ]
    .join('\n\n')
    .concat('\n');
}

function scores(report: Report): string[] {
  const lines = falls(report);
  if (lines.length === 0) return [];
  const rows = lines.map(({ subject, attack, eps, clean, attacked }) => [
    ...[text(subject), text(attack), decimal(clean), decimal(attacked), String(eps)],
  ]);
  return [table(['subject', 'attack', `clean ${text(lines[0]!.metric)}`, 'attacked', 'at eps'], rows)];
}

function gateTable(gates: NonNullable<Report['gates']>): string[] {
  if (gates.length === 0) return [];
  const rows = digest(gates).map(({ gate, places }) => [
    ...[`${signs[gate.verdict]} ${gate.verdict}`, text(gate.rule)],
    ...(places > 1 ? [`${count(places)} places`, ''] : [text(placeOf(gate)), text(gate.message)]),
  ]);
  return ['### Gates', table(['verdict', 'rule', 'where', 'seen'], rows)];
}

/** What passed needs no line of its own. */
function auditTable(audit: NonNullable<Report['audit']>): string[] {
  const open = byWeight(audit).filter(({ verdict }) => verdict === 'fail' || verdict === 'warn');
  if (open.length === 0) return [];
  const rows = open.map((result) => [
    ...[`${signs[result.verdict]} ${result.verdict}`, text(result.title), text(placeOf(result))],
    text(`${result.message} ${result.advice}`.trim()),
  ]);
  return ['### Audit', table(['verdict', 'check', 'where', 'seen'], rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Text that is nothing but text, in a table too: no markup, no link, no mention. */
function text(value: string): string {
  return plain(value)
    .replaceAll(/[\\`*_{}[\]()#|~!]/g, String.raw`\$&`)
    .replaceAll(/[&<>@]/g, (character) => `&#${character.charCodeAt(0)};`);
}
