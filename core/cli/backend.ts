import { Command } from 'commander';
import { startEngine, tensorflow } from '../engine.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import type { BackendContext, BackendPlugin } from '../plugin.ts';
import { Registry } from '../registry/index.ts';
import { selfTest } from '../selftest.ts';
import { probe } from './doctor.ts';
import { interruptible } from './interrupt.ts';
import { cacheFolder, colours, makeLogger, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins } from './paths.ts';
import { table } from './table.ts';

/** `robust backend`: what computes, and how to bring it here. */
export function backendCommand(io: Io, finish: Finish): Command {
  const command = new Command('backend').description(
    'list, install, remove or test the engines that compute',
  );
  command
    .command('list')
    .description('which backends run here, and why others do not')
    .option('--json', 'print JSON')
    .action(({ json = false }: { json?: boolean }) => finish(list(io, json)));
  command
    .command('install <name>')
    .description('bring the native library of a backend into the per-user cache')
    .option('--gpu', 'the build for NVIDIA GPUs', false)
    .option('--force', 'again, even when it is there', false)
    .action((name: string, how: { gpu: boolean; force: boolean }) =>
      finish(manage(io, name, 'install', (plugin, ctx) => plugin.install?.(how, ctx))),
    );
  command
    .command('remove <name>')
    .description('take away what install brought')
    .action((name: string) => finish(manage(io, name, 'remove', (plugin, ctx) => plugin.remove?.(ctx))));
  command
    .command('test [name]')
    .description('compare forward passes and a gradient with numbers computed in plain JavaScript')
    .option('--json', 'print JSON')
    .action((name: string | undefined, { json = false }: { json?: boolean }) =>
      finish(test(io, name ?? 'auto', json)),
    );
  return command;
}

async function list(io: Io, json: boolean): Promise<number> {
  const plugins = (await registry(io).list('backend')) as BackendPlugin[];
  const findings = [];
  for (const plugin of plugins.sort((a, b) => b.preference - a.preference)) {
    findings.push({ name: plugin.name, ...(await probe(plugin, io)) });
  }
  const paint = colours(io.stdout, io.env);
  const rows = findings.map(({ name, ok, detail, advice }) => [
    ok ? paint.green('ok') : paint.yellow('--'),
    name,
    advice === undefined ? detail : `${detail}; ${advice}`,
  ]);
  io.stdout.write(json ? `${JSON.stringify(findings)}\n` : `${table([], rows)}\n`);
  return 0;
}

type Work = (plugin: BackendPlugin, ctx: BackendContext) => Promise<string> | undefined;

async function manage(io: Io, name: string, verb: string, work: Work): Promise<number> {
  const plugin = await registry(io).resolve('backend', name);
  const log = makeLogger(io);
  return interruptible(log, async (signal) => {
    const doing = work(plugin, { log, signal, cacheDir: cacheFolder(io.env) });
    if (!doing) throw await nothingTo(verb, plugin, io);
    io.stdout.write(`${await doing}\n`);
    return 0;
  });
}

async function nothingTo(verb: string, plugin: BackendPlugin, io: Io): Promise<RobustError> {
  const { name } = plugin;
  const { advice } = await probe(plugin, io);
  const plugins = (await registry(io).list('backend')) as BackendPlugin[];
  const names = plugins.filter(({ install }) => install).map((other) => other.name);
  return new RobustError('USAGE', {
    message: `This command has nothing to ${verb} for '${name}'.`,
    where: `backend ${verb} ${name}`,
    next: advice ?? suggestion(name, names),
  });
}

async function test(io: Io, name: string, json: boolean): Promise<number> {
  const ctx = { log: makeLogger(io), signal: new AbortController().signal, cacheDir: cacheFolder(io.env) };
  const { info } = await startEngine(name, registry(io), ctx);
  const results = await selfTest(tensorflow);
  const rows = results.map((one) => [
    one.ok ? 'ok' : 'wrong',
    one.name,
    `largest difference ${one.maxDifference}`,
  ]);
  const head = `${info.backend} ${info.version} on ${info.device}, ${info.threads} threads`;
  io.stdout.write(json ? `${JSON.stringify({ info, results })}\n` : `${head}\n${table([], rows)}\n`);
  return results.every(({ ok }) => ok) ? 0 : 2;
}

function registry({ cwd }: Io): Registry {
  return new Registry({ bundledPlugins, baseDir: cwd });
}
