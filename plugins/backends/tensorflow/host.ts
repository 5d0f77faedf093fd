import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, type Run } from './run.ts';
import { InstallError } from './errors.ts';

/** Everything that is read from the machine, so that a test can describe another machine. */
export interface Host {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly home: string;
  /** glibc is absent on Alpine and its like, where no TensorFlow wheel can be loaded. */
  readonly musl: boolean;
  /** The folder of @tensorflow/tfjs-node-gpu, whose JavaScript and binding sources are used. */
  readonly addonPackage: string;
  readonly addonVersion: string;
  /** The folder with node_api.h. */
  readonly nodeApiHeaders: string;
  /** Where self-tests run, in a child process: a library that does not fit the processor ends its process. */
  readonly node: string;
  readonly run: Run;
  readonly freeBytes: (folder: string) => Promise<number>;
}

const require = createRequire(import.meta.url);

/** The machine this process runs on. */
export function thisHost(overrides: Partial<Host> = {}): Host {
  const addonPackage = overrides.addonPackage ?? packageFolder('@tensorflow/tfjs-node-gpu');
  return {
    env: process.env,
    platform: process.platform,
    arch: process.arch,
    home: homedir(),
    musl: runsOnMusl(),
    addonPackage,
    addonVersion: versionOf(addonPackage),
    nodeApiHeaders: overrides.nodeApiHeaders ?? `${packageFolder('node-api-headers')}/include`,
    node: process.execPath,
    run,
    freeBytes,
    ...overrides,
  };
}

/**
 * The folder of an npm package beside this one. Resolved through package.json, because resolving the main entry of
 * tfjs-node-gpu is the first step of loading it.
 */
function packageFolder(name: string): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch (cause) {
    throw new InstallError(
      'BACKEND_NO_PACKAGE',
      `the npm package ${name} is not in node_modules (looked from ${dirname(fileURLToPath(import.meta.url))})`,
      'run `npm install` (or `npm ci`) again without --omit or --no-optional',
      { cause },
    );
  }
}

function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string }).version;
}

/** Node's own loader names the C library; reading it costs microseconds, process.report up to seconds. */
function runsOnMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const start = Buffer.alloc(4096);
  const file = openSync(process.execPath, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return start.includes('/ld-musl-');
}

/** What an ordinary user may still write on the disk of an existing folder. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
