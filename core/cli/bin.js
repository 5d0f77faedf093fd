#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'dist');
const stamp = join(dist, '.tsbuildinfo');
const work = join(root, '.robust');
const lock = join(work, 'build.lock');
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const sources = ['core', 'plugins', 'presets', 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
  join(root, name),
);

/** An installed package brings its `dist`; only a source checkout can build one. */
function canBuild() {
  return existsSync(join(root, 'tsconfig.build.json')) && existsSync(compiler);
}

function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isStale() {
  return !existsSync(stamp) || Math.max(...sources.filter(existsSync).map(newest)) > statSync(stamp).mtimeMs;
}

/** Takes the lock, or says that another live process holds it. */
function acquire() {
  mkdirSync(work, { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(file) {
  try {
    process.kill(Number(readFileSync(file, 'utf8')) || process.pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Builds beside `dist` and swaps the folders, so that nobody ever imports half a build. Types are not checked here:
 * that is what `npm run lint` and editors do, and it takes twice the time.
 */
function build() {
  process.stderr.write('robust: building dist (the sources are newer)\n');
  const started = new Date();
  const fresh = join(work, `dist-${process.pid}`);
  const old = join(work, `old-${process.pid}`);
  const target = ['--outDir', fresh, '--tsBuildInfoFile', join(fresh, '.tsbuildinfo')];
  const args = [compiler, '-p', 'tsconfig.build.json', '--noCheck', ...target];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(`robust: the sources do not compile\n${stdout}`);
  }
  // What was edited while the compiler ran is newer than this build.
  utimesSync(join(fresh, '.tsbuildinfo'), started, started);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

async function ensureBuilt() {
  while (isStale()) {
    if (!acquire()) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    try {
      if (isStale()) build();
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

/** Native engines keep threads, and with them the process, alive: leave when all is written. */
async function leave() {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise((resolve) => stream.write('', resolve));
  }
  process.exit();
}

process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  if (canBuild()) await ensureBuilt();
  const { main, processIo } = await import('../../dist/core/cli/main.js');
  process.exitCode = await main(process.argv.slice(2), processIo());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
await leave();
