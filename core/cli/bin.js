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
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Milliseconds of the last change to any source; whole ones, which file times keep exactly. */
function lastChange() {
  return Math.ceil(Math.max(...sources.filter(existsSync).map(newest)));
}

function isStale() {
  return !existsSync(stamp) || lastChange() > Math.round(statSync(stamp).mtimeMs);
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
async function build() {
  process.stderr.write('robust: building dist (the sources are newer)\n');
  const { buildAssets } = await import('./assets.js');
  // Writes pages beside their sources, which makes those newer: only once.
  await buildAssets(root);
  const built = lastChange();
  // What a build that was killed left behind.
  for (const name of readdirSync(work)) {
    if (/^(dist|old)-/.test(name)) rmSync(join(work, name), { recursive: true, force: true });
  }
  const fresh = join(work, `dist-${process.pid}`);
  const old = join(work, `old-${process.pid}`);
  const target = ['--outDir', fresh, '--tsBuildInfoFile', join(fresh, '.tsbuildinfo')];
  const args = [compiler, '-p', 'tsconfig.build.json', '--noCheck', ...target];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(`robust: the sources do not compile\n${stdout}`);
  }
  await buildAssets(root, fresh);
  // As old as its sources: what was edited while the compiler ran is newer than this build.
  utimesSync(join(fresh, '.tsbuildinfo'), built / 1000, built / 1000);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

/** Builds if need be, once: or waits for another process that does. */
async function ensureBuilt() {
  while (isStale()) {
    if (!acquire()) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    try {
      if (isStale()) await build();
      return;
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
