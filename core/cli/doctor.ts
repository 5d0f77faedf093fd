import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { arch, availableParallelism, freemem, platform, totalmem } from 'node:os';
import { Command } from 'commander';
import { findConfig } from '../config/search.ts';
import type { BackendPlugin } from '../plugin.ts';
import { Registry, resolveOptions } from '../registry/index.ts';
import { cacheFolder, colours, makeLogger, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins, version } from './paths.ts';
import { table } from './table.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly advice?: string;
}

/** `robust doctor`: whether this machine can run anything, and what. */
export function doctorCommand(io: Io, finish: Finish): Command {
  return new Command('doctor')
    .description('check this machine: Node, memory, backends, cache, configuration')
    .option('--json', 'print JSON')
    .action(({ json = false }: { json?: boolean }) => finish(doctor(io, json)));
}

async function doctor(io: Io, json: boolean): Promise<number> {
  const plugins = await new Registry({ bundledPlugins, baseDir: io.cwd }).list('backend');
  const backends: Finding[] = [];
  for (const plugin of plugins as BackendPlugin[]) backends.push(await probe(plugin, io));
  const findings = [...machine(), ...backends, cache(io), await configuration(io)];
  const usable = backends.some(({ ok }) => ok);
  io.stdout.write(json ? `${JSON.stringify({ ok: usable, findings })}\n` : asText(findings, io));
  return usable ? 0 : 2;
}

function machine(): Finding[] {
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  return [
    { check: 'robust', ok: true, detail: version() },
    {
      check: 'node',
      ok: recent,
      detail: process.versions.node,
      ...(recent ? {} : { advice: 'install Node 20.19 or newer' }),
    },
    { check: 'platform', ok: true, detail: `${platform()} ${arch()}, ${availableParallelism()} processors` },
    { check: 'memory', ok: true, detail: `${gigabytes(freemem())} of ${gigabytes(totalmem())} free` },
  ];
}

export async function probe(plugin: BackendPlugin, io: Io): Promise<Finding> {
  const check = `backend ${plugin.name}`;
  const ctx = { log: makeLogger(io), signal: new AbortController().signal, cacheDir: cacheFolder(io.env) };
  try {
    const { available, detail, advice } = await plugin.probe(resolveOptions(plugin), ctx);
    return { check, ok: available, detail, ...(advice === undefined ? {} : { advice }) };
  } catch (error) {
    return { check, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function cache({ env }: Io): Finding {
  const dir = cacheFolder(env);
  let existing = dir;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return { check: 'cache', ok: true, detail: dir };
  } catch {
    return {
      check: 'cache',
      ok: false,
      detail: `${dir} cannot be written`,
      advice: 'set ROBUST_CACHE to another folder',
    };
  }
}

async function configuration({ cwd }: Io): Promise<Finding> {
  try {
    const found = await findConfig(cwd);
    return { check: 'configuration', ok: true, detail: found?.file ?? 'none here; presets work without one' };
  } catch (error) {
    return {
      check: 'configuration',
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
    };
  }
}

function asText(findings: readonly Finding[], { stdout, env }: Io): string {
  const paint = colours(stdout, env);
  const rows = findings.map(({ check, ok, detail, advice }) => [
    ok ? paint.green('ok') : paint.yellow('no'),
    check,
    advice === undefined ? detail : `${detail}\n${paint.bold('next:')} ${advice}`,
  ]);
  return `${table([], rows)}\n`;
}
