import { createHash } from 'node:crypto';
import { constants, createReadStream, existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InstallError, messageOf, systemCode } from './errors.ts';
import type { Host } from './host.ts';
import { downloadWheels, findPip, pythons, reportWheels, type ReportedWheel } from './pip.ts';
import { TENSORFLOW_VERSION, type Target } from './target.ts';
import { ZipFile } from './zip.ts';

/** Files as they lie in site-packages, from wheels or from an installed package. */
export interface Source {
  /** For the manifest and the log. */
  readonly description: string;
  readonly sha256: Readonly<Record<string, string>>;
  names(): Promise<string[]>;
  has(name: string): boolean;
  text(name: string): Promise<string>;
  /** Copies one file out. */
  extract(name: string, target: string): Promise<void>;
}

export interface SourceOptions {
  readonly host: Host;
  readonly target: Target;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
}

/** An installed wheel of the right version, else one fetched with pip. */
export async function openSource(options: SourceOptions): Promise<Source> {
  const installed = await installedSource(options);
  if (installed) return installed;
  const work = { host: options.host, folder: options.folder, signal: options.signal };
  const pip = await findPip(work);
  options.log(`asking pip ${pip.version} for ${options.target.requirement}`);
  const wheels = await reportWheels(work, pip, options.target);
  if (wheels.length === 0) throw nothingReported(options.target);
  for (const { file } of wheels) options.log(`downloading ${file}`);
  const folder = await downloadWheels(work, pip, options.target, wheels);
  options.log('checking sha256');
  for (const wheel of wheels) await verifyWheel(join(folder, wheel.file), wheel);
  return wheelSource(folder, wheels, options.signal);
}

function nothingReported(target: Target): InstallError {
  return new InstallError(
    'BACKEND_NO_WHEEL',
    `pip's report for ${target.requirement} does not name ${target.distribution}`,
    'update pip (`python3 -m pip install --upgrade pip`) and run the command again',
  );
}

/** Compares with what the index said; also an index that gives no sha256 is refused. */
async function verifyWheel(path: string, wheel: ReportedWheel): Promise<void> {
  const received = existsSync(path) ? await sha256(path) : 'no such file';
  if (wheel.sha256 !== '' && received === wheel.sha256) return;
  throw new InstallError(
    'BACKEND_WRONG_HASH',
    `${wheel.file} is not the file that the package index lists: sha256 expected ${wheel.sha256 || 'none given'}, received ${received}`,
    'run the command again; if it stays so, the mirror or a proxy changes files: do not use it',
  );
}

/** The sha256 of a file, in hexadecimal. */
async function sha256(path: string, encoding: 'hex' | 'base64url' = 'hex'): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest(encoding);
}

async function wheelSource(
  folder: string,
  wheels: readonly ReportedWheel[],
  signal?: AbortSignal,
): Promise<Source> {
  const owners = new Map<string, ZipFile>();
  for (const { file } of wheels) {
    const zip = await ZipFile.open(join(folder, file)).catch((cause: unknown) =>
      Promise.reject(damaged(file, cause)),
    );
    for (const name of zip.entries.keys()) owners.set(name, zip);
  }
  const owner = (name: string) =>
    owners.get(name) ?? Promise.reject(damaged(wheels[0]!.file, `${name} is not in it`));
  return {
    description: wheels.map(({ file }) => file).join(', '),
    sha256: Object.fromEntries(wheels.map(({ file, sha256 }) => [file, sha256])),
    names: () => Promise.resolve([...owners.keys()]),
    has: (name) => owners.has(name),
    text: async (name) => (await owner(name)).text(name),
    extract: async (name, target) => (await owner(name)).extract(name, target, signal),
  };
}

/** The error for a file that is not what was expected inside; system errors such as a full disk pass through. */
function damaged(file: string, cause: unknown): unknown {
  if (systemCode(cause) !== undefined) return cause;
  return new InstallError(
    'BACKEND_BAD_WHEEL',
    `cannot read ${file}: ${typeof cause === 'string' ? cause : messageOf(cause)}`,
    `run the command again; this version of robust expects the layout of TensorFlow ${TENSORFLOW_VERSION}`,
    { cause },
  );
}

const FIND_INSTALLED = `
import importlib.metadata as m, json, sys
try:
    d = m.distribution(sys.argv[1])
    print(json.dumps({'version': d.version, 'root': str(d.locate_file(''))}))
except Exception:
    print('{}')
`;

/** TensorFlow in the local Python, when it is the same release and its files are those of its own RECORD. */
async function installedSource(options: SourceOptions): Promise<Source | undefined> {
  const { host, target, log } = options;
  for (const python of pythons(host)) {
    const result = await host.run(python, ['-c', FIND_INSTALLED, target.distribution], {
      env: host.env,
      signal: options.signal,
    });
    const found = parseFound(result.stdout);
    if (found?.root === undefined || found.version !== TENSORFLOW_VERSION) continue;
    const record = await readRecord(found.root, target.distribution);
    const hashes = record && (await verifiedLibraries(found.root, record, target));
    if (!hashes) {
      log(`not using ${target.distribution} in ${found.root}: its files are incomplete or changed`);
      continue;
    }
    log(`using ${target.distribution} ${found.version} in ${found.root}`);
    return folderSource(found.root, hashes);
  }
  return undefined;
}

function parseFound(text: string): { version?: string; root?: string } | undefined {
  try {
    return JSON.parse(text) as { version?: string; root?: string };
  } catch {
    return undefined;
  }
}

/** RECORD lists `path,sha256=<base64url>,size`. */
async function readRecord(root: string, distribution: string): Promise<Map<string, string> | undefined> {
  const folder = `${distribution.replaceAll('-', '_')}-${TENSORFLOW_VERSION}.dist-info`;
  const text = await readFile(join(root, folder, 'RECORD'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.matchAll(/^"?([^",]+)"?,sha256=([\w-]+),/gm);
  return new Map([...lines].map((match) => [match[1]!, match[2]!]));
}

async function verifiedLibraries(
  root: string,
  record: ReadonlyMap<string, string>,
  target: Target,
): Promise<Record<string, string> | undefined> {
  const hashes: Record<string, string> = {};
  for (const { file } of target.libraries) {
    const name = `tensorflow/${file}`;
    const found = await sha256(join(root, name), 'base64url').catch(() => undefined);
    if (found === undefined || record.get(name) !== found) return undefined;
    hashes[name] = Buffer.from(found, 'base64url').toString('hex');
  }
  // A TensorFlow that was installed without `[and-cuda]` has no CUDA libraries beside it.
  return target.gpu && !existsSync(join(root, 'nvidia', 'cudnn', 'lib')) ? undefined : hashes;
}

function folderSource(root: string, sha256: Record<string, string>): Source {
  return {
    description: root,
    sha256,
    names: async () => {
      const found = await readdir(join(root, 'nvidia'), { recursive: true }).catch(() => []);
      return found.map((name) => `nvidia/${name.replaceAll('\\', '/')}`);
    },
    has: (name) => existsSync(join(root, name)),
    text: (name) => Promise.resolve(readFileSync(join(root, name), 'utf8')),
    extract: async (name, target) => {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(root, name), target, constants.COPYFILE_FICLONE);
    },
  };
}
