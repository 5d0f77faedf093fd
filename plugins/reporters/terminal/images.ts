import { short, type Report, type Row } from '../../../core/index.ts';
import { decimal } from '../shared/text.ts';
import type { Look } from './curves.ts';
import { table } from './draw.ts';

/** Room for the name of a subject. */
const NAME = 16;

/** The images that lost most, by the examples that the run kept: one line for each subject and attack. */
export function worstImages({ examples = [], rows, curves }: Report, look: Look): string {
  const metric = curves[0]?.metric;
  if (examples.length === 0 || metric === undefined) return '';
  const groups = new Map<string, Set<string>>();
  for (const { subject, attack, sample } of examples) {
    const key = JSON.stringify([subject, attack]);
    groups.set(key, (groups.get(key) ?? new Set()).add(sample));
  }
  const eps = Math.max(...examples.map((example) => example.eps));
  const score = (row: Row | undefined) => decimal(row?.values[metric] ?? null, look.digits);
  const lines = [...groups].map(([key, samples]) => {
    const [subject, attack] = JSON.parse(key) as [string, string];
    const found = (sample: string, name: string, level: number) =>
      rows.find(
        (row) => row.subject === subject && row.attack === name && row.eps === level && row.sample === sample,
      );
    const images = [...samples].map(
      (sample) =>
        `${short(sample, 20)} ${score(found(sample, 'clean', 0))} → ${score(found(sample, attack, eps))}`,
    );
    return [short(subject, NAME), whole(images, look.columns - NAME - 2)];
  });
  const title = look.style.bold(short(`most damaged images: ${metric}, clean → eps ${eps}`, look.columns));
  return `${title}\n${table(lines, 2)}`;
}

/** As many texts as fit into a line, none of them cut. */
function whole(texts: readonly string[], width: number): string {
  let line = texts[0]!;
  for (const text of texts.slice(1, 3)) {
    if ([...line].length + text.length + 3 > width) break;
    line += `   ${text}`;
  }
  return line;
}
