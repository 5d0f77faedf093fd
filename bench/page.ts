import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { EngineInfo } from '../core/vocabulary.ts';
import type { Result } from './measure.ts';
import type { Peer } from './peer.ts';
import { milliseconds } from './timing.ts';

const page = new URL('../docs/performance.md', import.meta.url);
const store = new URL('../docs/performance.json', import.meta.url);

/** What the numbers were measured on and with. */
export async function describeMachine(ours: readonly Peer[], pytorch: Peer | undefined): Promise<string[]> {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const lines = [
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} processors, ${memory}, Node ${process.versions.node}`,
  ];
  for (const peer of ours) {
    const { backend, version, device, threads } = await peer.ask<EngineInfo>({ do: 'info' });
    lines.push(`${backend}: ${version} on the ${device.toUpperCase()}, ${threads} threads`);
  }
  if (pytorch) {
    const { version, python, threads } = await pytorch.ask<Record<string, string>>({ do: 'info' });
    lines.push(`PyTorch: ${version}, Python ${python}, ${threads} threads`);
  }
  return lines;
}

/** The results as one table; times in milliseconds. */
export function markdown(results: readonly Result[]): string {
  const names = (side: 'robust' | 'pytorch') => [
    ...new Set(results.flatMap((result) => Object.keys(result[side]))),
  ];
  const [backends, layouts] = [names('robust'), names('pytorch')];
  const head = [
    'network',
    'size',
    'what',
    ...backends,
    ...layouts.map((name) => `PyTorch ${name}`),
    'ratio',
    'target',
    'notes',
  ];
  const rows = results.map(({ network, size, line, robust, pytorch, ratio, target, notes, limit }) => [
    network,
    size,
    line,
    ...backends.map((name) => time(robust[name])),
    ...layouts.map((name) => time(pytorch[name])),
    ratio === null ? '' : ratio.toFixed(2),
    target === null ? '' : String(target),
    [...shares(robust, limit), ...notes].join('; '),
  ]);
  const text = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [text(head), text(head.map(() => '---')), ...rows.map(text)].join('\n');
}

function time(seconds: number | undefined): string {
  return seconds === undefined ? '' : milliseconds(seconds);
}

function shares(robust: Result['robust'], limit: Result['limit'] = {}): string[] {
  return Object.entries(limit).map(
    ([name, seconds]) =>
      `bare convolutions ${time(seconds)} on ${name}: ${Math.round((100 * seconds) / robust[name]!)} %`,
  );
}

const [BEGIN, END] = ['<!-- results -->', '<!-- end of results -->'];

interface Stored {
  readonly machine: readonly string[];
  readonly results: readonly Result[];
}

/** Puts results into docs/performance.json, in the place of older ones of the same line, and makes the page's table of them. */
export async function writePage(machine: readonly string[], results: readonly Result[]): Promise<void> {
  const old = existsSync(store) ? (JSON.parse(await readFile(store, 'utf8')) as Stored) : { results: [] };
  const key = ({ network, size, line }: Result) => `${network} ${size} ${line}`;
  const all = new Map([...old.results, ...results].map((result) => [key(result), result]));
  const stored: Stored = { machine, results: [...all.values()] };
  await writeFile(store, `${JSON.stringify(stored, null, 2)}\n`);
  const text = await readFile(page, 'utf8');
  const table = `${machine.map((line) => `- ${line}`).join('\n')}\n\n${markdown(stored.results)}`;
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  await writeFile(page, `${before}${BEGIN}\n\n${table}\n\n${after}`);
}
