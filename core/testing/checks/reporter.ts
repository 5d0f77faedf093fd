import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { deepFreeze } from '../../config/tree.ts';
import type { ReporterPlugin } from '../../plugin.ts';
import type { Report } from '../../vocabulary.ts';
import { writeAtomically } from '../../store/output.ts';
import { temporaryFolder } from '../context.ts';
import { HOSTILE, hostileReport, interruptedReport, sampleReport, undefinedReport } from '../report.ts';
import type { Check, ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';

/** What a reporter left behind. */
interface Written {
  readonly printed: string;
  readonly files: ReadonlyMap<string, string>;
}

/** What every reporter must satisfy. */
export function reporterChecks(plugin: ReporterPlugin, settings: ContractSettings = {}): Check[] {
  const write = (report: Report, colour = false) => run(plugin, settings, report, colour);
  return [
    ...metadataChecks(plugin, settings),
    {
      name: 'prints, or writes files, as it says',
      run: async () => keepsWord(plugin, await write(sampleReport())),
    },
    ...Object.entries(reports).map(([name, report]) => ({
      name: `takes ${name}`,
      run: async () => void (await write(report())),
    })),
    {
      name: 'gives the same output for the same report',
      run: async () => same(await write(sampleReport()), await write(sampleReport())),
    },
    {
      name: 'prints no escape sequences without colour',
      run: () => forEachReport(async (report) => plain(await write(report))),
    },
    { name: 'keeps to 80 columns', run: () => forEachReport(async (report) => narrow(await write(report))) },
    {
      name: 'prints the same text with and without colour',
      run: async () => sameText(await write(sampleReport()), await write(sampleReport(), true)),
    },
    {
      name: 'lets no name become markup or control characters',
      run: async () => harmless(await write(hostileReport())),
    },
  ];
}

const reports: Readonly<Record<string, () => Report>> = {
  'a report': sampleReport,
  'a report with undefined values': undefinedReport,
  'a report of an interrupted run': interruptedReport,
  'a report with hostile names': hostileReport,
};

async function forEachReport(body: (report: Report) => Promise<void>): Promise<void> {
  for (const report of Object.values(reports)) await body(report());
}

async function run(
  plugin: ReporterPlugin,
  settings: ContractSettings,
  report: Report,
  colour: boolean,
): Promise<Written> {
  const dir = temporaryFolder();
  let printed = '';
  const print = (text: string) => {
    // Where the run folder lies is not the reporter's doing.
    printed += text.replaceAll(dir, 'run');
  };
  const write = (name: string, content: string | Uint8Array) => writeAtomically(join(dir, name), content);
  const target = { dir, print, write, columns: 80, colour };
  await plugin.report(deepFreeze(report), resolvedOptions(plugin, settings.options), target);
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = paths
    .sort()
    .map(async (path) => [path.slice(dir.length + 1), await readFile(path, 'utf8')] as const);
  return { printed, files: new Map(await Promise.all(contents)) };
}

function keepsWord({ prints }: ReporterPlugin, { printed, files }: Written): void {
  if (prints) assert.notEqual(printed, '', 'it says that it prints, but printed nothing');
  else assert.equal(printed, '', 'it says that it does not print, but did');
  assert(prints || files.size > 0, 'it neither printed nor wrote a file');
}

function same(one: Written, other: Written): void {
  assert.equal(other.printed, one.printed);
  assert.deepEqual([...other.files], [...one.files]);
}

/** Everything below space except newline, and what terminals take as the start of a sequence. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

function plain({ printed }: Written): void {
  const found = CONTROL.exec(printed);
  assert(found === null, `control character ${JSON.stringify(found?.[0])} at ${found?.index} of the output`);
}

function narrow({ printed }: Written): void {
  // What is meant for machines, JSON and workflow commands, has lines of any length.
  if (isJson(printed)) return;
  const forPeople = printed.split('\n').filter((line) => !line.startsWith('::'));
  const long = forPeople.find((line) => [...line].length > 80);
  assert.equal(long, undefined, `a line of ${[...(long ?? '')].length} characters: ${long}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function sameText(without: Written, withColour: Written): void {
  assert.equal(stripVTControlCharacters(withColour.printed), without.printed);
}

/** XML takes what stands in a CDATA section for text. */
function withoutCdata(text: string): string {
  return text.replaceAll(/<!\[CDATA\[[^]*?\]\]>/g, '');
}

function harmless(written: Written): void {
  plain(written);
  for (const [name, text] of written.files) {
    if (/\.(html?|svg|xml)$/.test(name))
      assert(!withoutCdata(text).includes(HOSTILE.markup), `${name} holds a name as markup`);
    if (name.endsWith('.json')) JSON.parse(text);
  }
}
