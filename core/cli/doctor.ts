import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { arch, availableParallelism, freemem, platform, totalmem } from 'node:os';
import { Command } from 'commander';
import { findConfig } from '../config/search.ts';
import { startEngine, tensorflow } from '../engine.ts';
import type { BackendContext, BackendPlugin } from '../plugin.ts';
import { Registry, resolveOptions } from '../registry/index.ts';
import { selfTest } from '../selftest.ts';
import { cacheFolder, colours, makeLogger, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins, version } from './paths.ts';
import { table } from './table.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly advice?: string;
  /** Of a backend: operators that it lacks. */
  readonly missing?: readonly string[];
}

/** `robust doctor`: whether this machine can run anything, and what. */
export function doctorCommand(io: Io, finish: Finish): Command {
  return new Command('doctor')
    .description('check this machine: Node, memory, backends, cache, configuration')
    .option('--json', 'print JSON')
    .action(({ json = false }: { json?: boolean }) => finish(doctor(io, json)));
}

async function doctor(io: Io, json: boolean): Promise<number> {
  const registry = new Registry({ bundledPlugins, baseDir: io.cwd });
  const plugins = (await registry.list('backend')) as BackendPlugin[];
  const [backends, automatic]: [Finding[], Finding[]] = [[], []];
  // The preferred one last: a backend may register gradients for the whole process.
  for (const plugin of plugins.toSorted((a, b) => a.preference - b.preference)) {
    const found = await examine(plugin, registry, io);
    backends.push(found);
    if (plugin.preference > 0) automatic.push(found);
  }
  const usable = backends.some(({ ok }) => ok);
  const findings = [...machine(), ...backends, chosen(automatic), cache(io), await configuration(io)];
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

/** What a backend is once it runs, whether it computes what it should, and what it cannot compute. */
async function examine(plugin: BackendPlugin, registry: Registry, io: Io): Promise<Finding> {
  const found = await probe(plugin, io);
  if (!found.ok) return found;
  try {
    const { info } = await startEngine(plugin.name, registry, contextOf(io));
    const wrong = (await selfTest(tensorflow)).filter(({ ok }) => !ok).map(({ name }) => name);
    const missing = missingKernels(info.backend);
    const parts = [
      `${info.version} on the ${info.device.toUpperCase()}, ${info.threads} threads`,
      wrong.length === 0 ? 'self-test passed' : `the self-test gives wrong results: ${wrong.join(', ')}`,
      `${missing.length} kernels missing`,
    ];
    return { ...found, ok: wrong.length === 0, detail: described(plugin, parts.join('; ')), missing };
  } catch (error) {
    return { ...found, ok: false, detail: messageOf(error) };
  }
}

/** Operators that the reference backend has and this one lacks. */
function missingKernels(backend: string): string[] {
  const names = (of: string) => tensorflow.getKernelsForBackend(of).map(({ kernelName }) => kernelName);
  const own = new Set(names(backend));
  return names('cpu').filter((name) => !own.has(name));
}

/** What `--backend auto` takes; backends come by rising preference. */
function chosen(backends: readonly Finding[]): Finding {
  const best = backends.findLast(({ ok }) => ok);
  return best
    ? { check: 'auto', ok: true, detail: `takes the ${best.check}` }
    : { check: 'auto', ok: false, detail: 'no backend can run here' };
}

function contextOf(io: Io): BackendContext {
  return { log: makeLogger(io), signal: new AbortController().signal, cacheDir: cacheFolder(io.env) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export async function probe(plugin: BackendPlugin, io: Io): Promise<Finding> {
  const check = `backend ${plugin.name}`;
  try {
    const { available, detail, advice } = await plugin.probe(resolveOptions(plugin), contextOf(io));
    const more = advice === undefined ? {} : { advice };
    return { check, ok: available, detail: described(plugin, detail), ...more };
  } catch (error) {
    return { check, ok: false, detail: messageOf(error) };
  }
}

function described({ experimental }: BackendPlugin, detail: string): string {
  return experimental === undefined ? detail : `experimental; ${detail}`;
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
    return { check: 'configuration', ok: false, detail: messageOf(error) };
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
