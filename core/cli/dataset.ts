import { Command, Help } from 'commander';
import { checkDataset } from '../dataset.ts';
import { writePng } from '../images/index.ts';
import type { Dataset } from '../vocabulary.ts';
import { interruptible } from './interrupt.ts';
import { colours, makeLogger, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { contextOf, openPlugin } from './plugin.ts';
import { collect } from './settings.ts';
import { contactSheet } from './sheet.ts';
import { surveyDataset, type Survey } from './survey.ts';
import { table } from './table.ts';

interface DatasetSettings {
  readonly set?: readonly string[];
  readonly sheet?: string;
  readonly json?: boolean;
}

/** `robust dataset`: what a data set holds, and what is wrong with it. */
export function datasetCommand(io: Io, finish: Finish): Command {
  return new Command('dataset')
    .description('read a data set from end to end: numbers, sizes, foreground, problems')
    .argument('<name>', 'a bundled name, package/name, or a file')
    .option(
      '--set <option=value>',
      'set an option of the data set, such as root=../data (repeatable)',
      collect,
    )
    .option('--sheet <file>', 'write a PNG with some images and the outlines of their masks')
    .option('--json', 'print JSON')
    .action((name: string, settings: DatasetSettings) => finish(dataset(io, name, settings)));
}

async function dataset(io: Io, name: string, { set = [], sheet, json }: DatasetSettings): Promise<number> {
  const log = makeLogger(io);
  return interruptible(log, async (signal) => {
    const data = await load(io, name, set, signal);
    log.info(`reading ${data.train.ids.length + data.test.ids.length} samples`);
    const survey = await surveyDataset(data, signal);
    if (sheet !== undefined) await writePng(sheet, await contactSheet(data));
    const facts = {
      name,
      fingerprint: data.fingerprint,
      classes: data.classes,
      domain: data.domain,
      ...survey,
    };
    io.stdout.write(json ? `${JSON.stringify(facts)}\n` : asText(name, data, survey, io));
    return 0;
  });
}

async function load(io: Io, use: string, set: readonly string[], signal: AbortSignal): Promise<Dataset> {
  const { plugin, options } = await openPlugin(io, 'dataset', use, set);
  return checkDataset(plugin.name, await plugin.load(options, contextOf(io, signal)));
}

function asText(name: string, data: Dataset, { size, train, test, problems }: Survey, io: Io): string {
  const paint = colours(io.stdout, io.env);
  const percent = (share: number | null) => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);
  const both = (label: string, value: (part: Survey['train']) => string | number) => [
    label,
    String(value(train)),
    String(value(test)),
  ];
  const rows = [
    both('images', ({ images }) => images),
    both('groups', ({ groups }) => groups),
    ...data.classes
      .slice(1)
      .flatMap((label, k) => [
        both(label, ({ foreground }) => percent(foreground[k]!.mean)),
        both('  smallest', ({ foreground }) => percent(foreground[k]!.min)),
        both('  largest', ({ foreground }) => percent(foreground[k]!.max)),
      ]),
  ];
  const { low, high, step } = data.domain;
  return [
    `${paint.bold(name)}: ${size.join(' x ')}, levels ${low} to ${high} in steps of ${step}`,
    `fingerprint ${data.fingerprint.slice(0, 16)}`,
    '',
    table(['', 'train', 'test'], rows, [1, 2]),
    '',
    paint.bold(problems.length > 0 ? 'Problems' : 'No problems found'),
    ...problems.map((problem) => new Help().boxWrap(`- ${problem}`, 80)),
    '',
  ].join('\n');
}
