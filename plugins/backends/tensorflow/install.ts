import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compileAddon, diskFull, extractFiles, stripLibraries, type BuildOptions } from './build.ts';
import { testInChild, type SelfTestReport } from './child.ts';
import { InstallError, messageOf, systemCode } from './errors.ts';
import { thisHost, type Host } from './host.ts';
import {
  ADDON_PATH,
  backendFolder,
  cacheFolder,
  libraryFolder,
  locate,
  PARTIAL,
  pruneEmpty,
  readInstallation,
  type InstalledLibrary,
  type Manifest,
} from './library.ts';
import { withLock } from './lock.ts';
import { openSource, type Source } from './source.ts';
import { NAPI_VERSION, TENSORFLOW_VERSION, targetFor, type Target } from './target.ts';

export interface InstallOptions {
  gpu?: boolean;
  /** Ends the install; everything it has written is removed again. */
  signal?: AbortSignal;
  /** One line for every step, for a terminal. */
  log?: (line: string) => void;
  /** Install again even when it is there. */
  force?: boolean;
  host?: Host;
}

export interface InstallResult {
  readonly library: InstalledLibrary;
  /** True when there was nothing to do. */
  readonly alreadyInstalled: boolean;
  /** Only of a new installation; `testInChild` repeats it for an old one. */
  readonly selfTest?: SelfTestReport;
  readonly seconds: number;
}

/**
 * Puts TensorFlow's native library and tfjs-node's addon, compiled against it, into the per-user cache. Nothing is there
 * until everything has succeeded, and two installs at once end with one installation.
 */
export async function installLibrary(options: InstallOptions = {}): Promise<InstallResult> {
  const started = Date.now();
  const host = options.host ?? thisHost();
  const gpu = options.gpu ?? false;
  const log = options.log ?? (() => undefined);
  const seconds = () => (Date.now() - started) / 1000;
  const existing = options.force ? undefined : locate({ gpu, host });
  if (existing) return { library: existing, alreadyInstalled: true, seconds: seconds() };
  const target = targetFor(host, gpu);
  const base = backendFolder(host);
  try {
    await prepareFolder(host, base, target);
    const onWait = (holder: string) => log(`waiting for another install (process ${holder})`);
    return await withLock({ folder: base, signal: options.signal, onWait }, async () => {
      const installedMeanwhile = options.force ? undefined : readInstallation(libraryFolder(host, gpu));
      if (installedMeanwhile)
        return { library: installedMeanwhile, alreadyInstalled: true, seconds: seconds() };
      const done = await installLocked({ host, target, base, log, signal: options.signal });
      return { ...done, alreadyInstalled: false, seconds: seconds() };
    });
  } catch (error) {
    throw explain(error, base, options.signal);
  } finally {
    pruneEmpty(base, cacheFolder(host));
  }
}

interface Job {
  readonly host: Host;
  readonly target: Target;
  readonly base: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Everything that can be known before anything is downloaded. */
async function prepareFolder(host: Host, base: string, target: Target): Promise<void> {
  await mkdir(base, { recursive: true });
  const free = await host.freeBytes(base);
  if (free >= target.diskBytes) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw diskFull(
    base,
    `${gigabytes(target.diskBytes)} are needed while installing, ${gigabytes(free)} are free`,
  );
}

async function installLocked(job: Job): Promise<{ library: InstalledLibrary; selfTest: SelfTestReport }> {
  await removePartials(job.base);
  const partial = join(job.base, `${PARTIAL}${process.pid}`);
  try {
    const folder = join(partial, 'library');
    const build: BuildOptions = { ...job, folder };
    const source = await openSource({ ...job, folder: join(partial, 'work') });
    job.log('extracting the libraries and headers');
    await extractFiles(source, build);
    await rm(join(partial, 'work'), { recursive: true, force: true });
    job.log('stripping and compiling the addon');
    await stripLibraries(build);
    await compileAddon(build);
    job.log('self-test');
    const selfTest = await testInChild(job.host, join(folder, ADDON_PATH), job.signal);
    if (job.target.gpu && selfTest.info.device === 'cpu') {
      job.log('no usable GPU was found on this machine: the self-test ran on the CPU');
    }
    await writeManifest(folder, source, job, selfTest.info.version);
    const library = await putInPlace(folder, libraryFolder(job.host, job.target.gpu), partial);
    return {
      library,
      selfTest: { ...selfTest, info: { ...selfTest.info, addon: library.addon, origin: 'cache' } },
    };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** What killed installs have left. Their owners are dead: this process holds the lock. */
async function removePartials(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (name.startsWith(PARTIAL)) await rm(join(base, name), { recursive: true, force: true });
  }
}

async function writeManifest(folder: string, source: Source, job: Job, version: string): Promise<void> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => /^(lib|deps)[\\/]/.test(path));
  const files: Record<string, number> = {};
  for (const path of paths.toSorted()) {
    const found = await lstat(join(folder, path));
    if (found.isFile()) files[path] = found.size;
  }
  const manifest: Manifest = {
    format: 1,
    tensorflow: version || TENSORFLOW_VERSION,
    addon: job.host.addonVersion,
    device: job.target.gpu ? 'gpu' : 'cpu',
    napi: NAPI_VERSION,
    source: source.description,
    sha256: source.sha256,
    files,
    installedAt: new Date().toISOString(),
  };
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** One rename. What was there (damaged, or replaced by `force`) is moved aside first. */
async function putInPlace(folder: string, final: string, partial: string): Promise<InstalledLibrary> {
  await rename(final, join(partial, 'replaced')).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  await rename(folder, final);
  const library = readInstallation(final);
  if (library) return library;
  throw new InstallError(
    'BACKEND_CACHE_NOT_WRITABLE',
    `the installation in ${dirname(final)} was changed by another process while it was made`,
    'run the command again',
  );
}

/** Turns aborts and system errors into errors that say what to do. */
function explain(error: unknown, base: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) {
    const advice = 'nothing is left behind; run the command again to start over';
    return new InstallError('BACKEND_ABORTED', 'the install was interrupted', advice, { cause: error });
  }
  if (error instanceof InstallError) return error;
  const code = systemCode(error) ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(base, messageOf(error));
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code)) return error;
  return new InstallError(
    'BACKEND_CACHE_NOT_WRITABLE',
    `cannot write to the cache folder ${base}: ${messageOf(error)}`,
    'set ROBUST_CACHE to a folder that you may write to',
    { cause: error },
  );
}
