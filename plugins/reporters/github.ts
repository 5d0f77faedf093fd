import { appendFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { plain, defineReporter, type Report } from '../../core/index.ts';
import { markdownOf } from './shared/markdown.ts';
import { tally } from './shared/summary.ts';
import { placeOf } from './shared/text.ts';

type Properties = Readonly<Record<string, string | undefined>>;

export default defineReporter({
  name: 'github',
  summary: "Prints GitHub's annotations, at the lines of the gates, and appends a summary to the job's page.",
  references: ['https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands'],
  prints: true,
  options: {},
  async report(report, _options, { print }) {
    const lines = [...gates(report), ...audit(report)];
    const { dataset, gates: all = [] } = report;
    const verdicts = all.length > 0 ? tally(all) : 'no gates';
    lines.push(
      command('notice', { title: 'robust' }, `${dataset.name}, ${dataset.images} images: ${verdicts}`),
    );
    print(`${lines.join('\n')}\n`);
    const summary = process.env['GITHUB_STEP_SUMMARY'];
    if (!summary) return;
    // What the gates say must not depend on whether this file can be written.
    await appendFile(summary, markdownOf(report)).catch((error: Error) =>
      print(
        `${command('warning', { title: 'robust' }, `The job summary could not be written: ${error.message}`)}\n`,
      ),
    );
  },
});

/** GitHub counts paths from the root of the repository, configurations from the working directory. */
function inRepository(file: string): string {
  const root = process.env['GITHUB_WORKSPACE'];
  return root ? relative(root, resolve(file)) : file;
}

/** Origins that are no files. */
const elsewhere = /^(--|ROBUST_|preset:|(given|default)$)/;

function gates({ gates: all = [] }: Report): string[] {
  return all
    .filter(({ verdict }) => verdict !== 'pass')
    .map((gate) => {
      const level = gate.verdict === 'fail' || gate.verdict === 'error' ? 'error' : 'warning';
      const [, file, line] = /^(.*?)(?::(\d+))?$/s.exec(gate.origin ?? '') ?? [];
      const place = !file || elsewhere.test(file) ? {} : { file: inRepository(file), line };
      const where = placeOf(gate);
      const text = `${gate.verdict}: ${where === '' ? '' : `${where}: `}${gate.message}`;
      return command(level, { ...place, title: gate.rule }, text);
    });
}

function audit({ audit: all = [] }: Report): string[] {
  return all
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'warn')
    .map((result) => {
      const text = `${placeOf(result)}: ${result.message} ${result.advice}`;
      return command('warning', { title: `audit: ${result.title}` }, text);
    });
}

/** A workflow command. Whatever could end it, or one of its properties, is escaped. */
function command(name: 'error' | 'warning' | 'notice', properties: Properties, message: string): string {
  const data = (text: string) => plain(text).replaceAll('%', '%25');
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const list = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${property(value)}`],
  );
  return `::${name} ${list.join(',')}::${data(message)}`;
}
