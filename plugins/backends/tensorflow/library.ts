import { existsSync, readFileSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { thisHost, type Host } from './host.ts';
import { withLock } from './lock.ts';
import { ADDON_REVISION, NAPI_VERSION, TENSORFLOW_VERSION } from './target.ts';

/** What one installation consists of, written last and read first. */
export interface Manifest {
  readonly format: 1;
  readonly tensorflow: string;
  readonly addon: string;
  readonly device: 'cpu' | 'gpu';
  readonly napi: number;
  /** Where the libraries come from: the wheel's file name, or the folder of an installed one. */
  readonly source: string;
  /** What pip (or the installed wheel's RECORD) said, and what was found. */
  readonly sha256: Readonly<Record<string, string>>;
  /** Sizes of the files that must be there, by path inside the folder. */
  readonly files: Readonly<Record<string, number>>;
  readonly installedAt: string;
}

/** An installation that is ready to load. */
export interface InstalledLibrary {
  readonly folder: string;
  /** The addon, an absolute path to tfjs_binding.node. */
  readonly addon: string;
  /** `cache`: built by this installer. `upstream`: tfjs-node's own prebuilt one inside node_modules. */
  readonly origin: 'cache' | 'upstream';
  readonly device: 'cpu' | 'gpu';
  readonly bytes: number;
  readonly manifest?: Manifest;
}

/** The addon's place inside an installation: two levels down, as its run path expects. */
export const ADDON_PATH = `lib/napi-v${NAPI_VERSION}/tfjs_binding.node`;

/** Begins the name of the folder of an install that is under way, or was killed. */
export const PARTIAL = '.partial-';

/** robust's per-user cache folder: ROBUST_CACHE, else the platform's convention. */
export function cacheFolder(host: Pick<Host, 'env' | 'platform' | 'home'> = thisHost()): string {
  const { env, platform, home } = host;
  if (env['ROBUST_CACHE']) return env['ROBUST_CACHE'];
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'robust');
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'robust');
}

/** The folder that holds every installation of this backend. */
export function backendFolder(host: Pick<Host, 'env' | 'platform' | 'home'> = thisHost()): string {
  return join(cacheFolder(host), 'backends', 'tensorflow');
}

/** Names one installation: whatever makes the compiled files differ is part of it. */
function libraryKey(host: Pick<Host, 'addonVersion' | 'platform' | 'arch'>, gpu: boolean): string {
  const device = gpu ? 'gpu' : 'cpu';
  return `tf${TENSORFLOW_VERSION}-node${host.addonVersion}-${device}-${host.platform}-${host.arch}-napi${NAPI_VERSION}-${ADDON_REVISION}`;
}

/** The folder of one installation. */
export function libraryFolder(host: Host, gpu: boolean): string {
  return join(backendFolder(host), libraryKey(host, gpu));
}

/**
 * What is installed, or undefined. Without `gpu` the GPU build is preferred (it also runs without a GPU), then the CPU
 * build, then upstream's own prebuilt addon; `gpu: true | false` accepts only that build, or upstream's.
 */
export function locate(
  options: { gpu?: boolean | undefined; host?: Host } = {},
): InstalledLibrary | undefined {
  const host = options.host ?? thisHost();
  const wanted = options.gpu === undefined ? [true, false] : [options.gpu];
  for (const gpu of wanted) {
    const found = readInstallation(libraryFolder(host, gpu));
    if (found) return found;
  }
  return locateUpstream(host);
}

/** Reads one folder; a folder that is not whole counts as absent. */
export function readInstallation(folder: string): InstalledLibrary | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    const files = Object.entries(manifest.files);
    if (manifest.format !== 1 || files.length === 0) return undefined;
    if (files.some(([path, size]) => statSync(join(folder, path)).size !== size)) return undefined;
    const bytes = files.reduce((sum, [, size]) => sum + size, 0);
    return {
      folder,
      addon: join(folder, ADDON_PATH),
      origin: 'cache',
      device: manifest.device,
      bytes,
      manifest,
    };
  } catch {
    return undefined;
  }
}

/** tfjs-node's own installer puts the addon and TensorFlow inside its package; it is used, never written. */
function locateUpstream(host: Host): InstalledLibrary | undefined {
  const folder = host.addonPackage;
  for (let napi = NAPI_VERSION + 1; napi >= 3; napi--) {
    const addon = join(folder, 'lib', `napi-v${napi}`, 'tfjs_binding.node');
    if (!existsSync(addon) || !upstreamLibraryExists(folder)) continue;
    return { folder, addon, origin: 'upstream', device: 'gpu', bytes: statSync(addon).size };
  }
  return undefined;
}

/** An addon without the library beside it is what an interrupted upstream install leaves. */
function upstreamLibraryExists(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'deps', 'lib')).some((name) =>
      /tensorflow\.(so|2\.|dylib|dll)/.test(name),
    );
  } catch {
    return false;
  }
}

/** What `remove` did. */
export interface Removed {
  readonly folders: readonly string[];
  readonly bytes: number;
}

/**
 * Removes one build, or without `gpu` every installation of every version, with all that an interrupted install may
 * have left, and the then empty folders up to robust's own cache folder. Upstream's addon in node_modules stays.
 */
export async function remove(
  options: { gpu?: boolean; host?: Host; signal?: AbortSignal } = {},
): Promise<Removed> {
  const host = options.host ?? thisHost();
  const base = backendFolder(host);
  if (!existsSync(base)) return { folders: [], bytes: 0 };
  const removed = await withLock({ folder: base, signal: options.signal }, async () => {
    const only = options.gpu === undefined ? '' : libraryKey(host, options.gpu);
    const mine = (name: string) => name.includes(only) || name.startsWith(PARTIAL);
    const names = readdirSync(base).filter((name) => !name.startsWith('.lock') && mine(name));
    const folders = names.map((name) => join(base, name));
    const bytes = folders.reduce((sum, folder) => sum + folderBytes(folder), 0);
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
    return { folders: folders.filter((folder) => !folder.includes(PARTIAL)), bytes };
  });
  pruneEmpty(base, cacheFolder(host));
  return removed;
}

/** Removes empty folders from `folder` up to and including `top`; stops at the first that is in use. */
export function pruneEmpty(folder: string, top: string): void {
  for (let current = folder; current.startsWith(top); current = dirname(current)) {
    try {
      rmdirSync(current);
    } catch {
      return;
    }
  }
}

/** Bytes of all files under a folder; links count nothing. */
function folderBytes(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) sum += statSync(join(entry.parentPath, entry.name)).size;
  }
  return sum;
}
