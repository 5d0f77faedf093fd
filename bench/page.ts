import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { EngineInfo } from '../core/vocabulary.ts';
import { lineNames } from './cases.ts';
import type { Measured, Profile, Result } from './measure.ts';
import type { Peer } from './peer.ts';
import { milliseconds, percent } from './timing.ts';

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
  const rows = results.map(({ network, size, line, robust, pytorch, ratio, target, ...more }) => [
    network,
    size,
    line,
    ...backends.map((name) => time(robust[name])),
    ...layouts.map((name) => time(pytorch[name])),
    ratio === null ? '' : ratio.toFixed(2),
    target === null ? '' : String(target),
    [...shares(robust, more.limit), ...more.notes, ...load(more.busy)].join('; '),
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

/** Which columns were taken while the machine did other work as well, and how much of it that took. */
function load(busy: Result['busy'] = {}): string[] {
  const columns = Object.entries(busy).map(([name, share]) => `${name} (${percent(share)})`);
  return columns.length === 0 ? [] : [`beside other work: ${columns.join(', ')}`];
}

/** The operators that take most, with their share of all: one line for each profile. */
function profileTable(profiles: readonly Profile[]): string {
  const rows = profiles.map(({ network, size, what, backend, lines }) => {
    const top = lines.slice(0, OPERATORS).map(({ op, count, share }) => `${op} ${percent(share)} (${count})`);
    return `| ${[network, size, what, backend, top.join(', ')].join(' | ')} |`;
  });
  const head = ['| network | size | what | backend | operators (calls) |', '| --- | --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}

const OPERATORS = 8;

interface Stored extends Measured {
  readonly machine: readonly string[];
}

/**
 * Puts what was measured into docs/performance.json, in the place of older numbers of the same line and backend, and
 * makes the page's tables of all.
 */
export async function writePage({ machine, results, profiles }: Stored): Promise<void> {
  const old = JSON.parse(await readFile(store, 'utf8')) as Stored;
  const lines = new Map(old.results.map((result) => [lineOf(result), result]));
  for (const result of results) lines.set(lineOf(result), merge(result, lines.get(lineOf(result))));
  const about = (each: Profile) => `${each.network} ${each.size} ${each.what} ${each.backend}`;
  const stored: Stored = {
    // What stands before a colon names a backend; the line without one is the machine.
    machine: replaced(old.machine, machine, (line) => line.includes(': ') && line.split(': ')[0]),
    results: [...lines.values()].toSorted((a, b) => place(a).localeCompare(place(b))),
    profiles: replaced(old.profiles, profiles, about).toSorted((a, b) => about(a).localeCompare(about(b))),
  };
  await writeFile(store, `${JSON.stringify(stored, null, 2)}\n`);
  const machineLines = stored.machine.map((line) => `- ${line}`).join('\n');
  let text = await readFile(page, 'utf8');
  text = insert(text, 'results', `${machineLines}\n\n${markdown(stored.results)}`);
  await writeFile(page, insert(text, 'profiles', profileTable(stored.profiles)));
}

const lineOf = ({ network, size, line }: Result) => `${network} ${size} ${line}`;

/** By network, the small size first, in the order of measuring. */
function place({ network, size, line }: Result): string {
  return `${network} ${size === 'small' ? 0 : 1} ${lineNames.indexOf(line)}`;
}

/** Values with those of the same key replaced. */
function replaced<T>(old: readonly T[], recent: readonly T[], key: (value: T) => unknown): T[] {
  return [...new Map([...old, ...recent].map((value) => [key(value), value])).values()];
}

/** The ratio, PyTorch's times and the notes belong to the first backend, and are kept when only others were measured. */
function merge(recent: Result, old: Result | undefined): Result {
  const [first] = Object.keys(old?.robust ?? {});
  if (!old || first === undefined) return recent;
  const base = first in recent.robust ? recent : old;
  const kept = Object.entries(old.busy ?? {}).filter(([name]) => !(name in recent.robust));
  const busy = { ...Object.fromEntries(kept), ...recent.busy };
  const limit = { ...old.limit, ...recent.limit };
  const robust = { ...old.robust, ...recent.robust };
  const { busy: _, ...rest } = { ...base, robust };
  return {
    ...rest,
    ...(Object.keys(limit).length > 0 && { limit }),
    ...(Object.keys(busy).length > 0 && { busy }),
  };
}

/** Replaces what stands between the page's two comments of this name. */
function insert(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  return `${text.slice(0, text.indexOf(begin))}${begin}\n\n${content}\n\n${text.slice(text.indexOf(end))}`;
}
