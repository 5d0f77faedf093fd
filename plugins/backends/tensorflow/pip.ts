import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InstallError, type InstallErrorCode } from './errors.ts';
import type { Host } from './host.ts';
import type { RunResult } from './run.ts';
import { WHEEL_PYTHON, type Target } from './target.ts';

/** A Python with a pip that can report hashes. */
export interface Pip {
  readonly python: string;
  /** What comes before pip's own arguments: `-m pip`, or the path of a newer pip's wheel. */
  readonly prefix: readonly string[];
  readonly version: string;
}

/** A file that pip chose, with the hash that the package index gives for it. */
export interface ReportedWheel {
  readonly file: string;
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

interface Work {
  readonly host: Host;
  /** A folder for pip's temporary files, cache and downloads; the caller removes it. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

const GET_PIP =
  'on Debian or Ubuntu: `apt install python3-pip`; on Fedora: `dnf install python3-pip`; elsewhere see pip.pypa.io';

/** The interpreters to try: the user's choice, or the usual names (a virtual environment's come first on PATH). */
export function pythons(host: Pick<Host, 'env'>): string[] {
  const chosen = host.env['ROBUST_PYTHON'];
  return chosen ? [chosen] : ['python3', 'python'];
}

/** Finds pip. `pip install --report` came with 22.2; an older pip fetches its own successor into the work folder. */
export async function findPip(work: Work): Promise<Pip> {
  const tried: string[] = [];
  for (const python of pythons(work.host)) {
    const result = await work.host.run(python, ['-m', 'pip', '--version'], {
      env: pipEnv(work),
      signal: work.signal,
    });
    const version = /pip (\d+(?:\.\d+)*)/.exec(result.stdout)?.[1];
    if (result.code === 0 && version) {
      const pip = { python, prefix: ['-m', 'pip'], version };
      return canReport(version) ? pip : newerPip(work, pip);
    }
    tried.push(result.missing ? `${python} is not on PATH` : `${python} has no pip (${lastLine(result)})`);
  }
  throw new InstallError(
    'BACKEND_NO_PIP',
    `the TensorFlow wheel is fetched with Python's pip, and there is none: ${tried.join('; ')}`,
    `install Python 3 with pip (${GET_PIP}), or set ROBUST_PYTHON to a Python that has it`,
  );
}

function canReport(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 2);
}

/** A pip wheel runs as it is, so nothing of the user's Python is changed. */
async function newerPip(work: Work, old: Pip): Promise<Pip> {
  const folder = join(work.folder, 'pip');
  await runPip(work, old, ['download', ...COMMON, '--no-deps', '-d', folder, 'pip'], 'pip');
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  const version = wheel?.split('-')[1];
  if (wheel && version && canReport(version))
    return { ...old, prefix: [join(folder, wheel, 'pip')], version };
  throw new InstallError(
    'BACKEND_NO_PIP',
    `pip ${old.version} of ${old.python} cannot report hashes (22.2 or newer can), and the newest for it is ${version ?? 'none'}`,
    'set ROBUST_PYTHON to a newer Python (3.8 or later) that has pip',
  );
}

const COMMON = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary=:all:'];

/**
 * Asks pip which files it would take, with their hashes, without downloading them. The hash is the index's own, read
 * over the user's pip configuration (mirror, certificate, proxy).
 */
export async function reportWheels(work: Work, pip: Pip, target: Target): Promise<ReportedWheel[]> {
  const file = join(work.folder, 'report.json');
  const which = [...choice(target), ...(target.gpu ? [] : ['--no-deps'])];
  const place = ['--target', join(work.folder, 'unused'), '--report', file];
  const args = [
    'install',
    '--dry-run',
    '--ignore-installed',
    ...COMMON,
    ...which,
    ...place,
    target.requirement,
  ];
  await runPip(work, pip, args, target.requirement);
  const wheels = parseReport(await readFile(file, 'utf8'));
  return wheels.filter(
    ({ name }) => name === target.distribution || (target.gpu && name.startsWith('nvidia-')),
  );
}

/** Downloads exactly the reported versions; returns the folder that holds the files. */
export async function downloadWheels(
  work: Work,
  pip: Pip,
  target: Target,
  wheels: readonly ReportedWheel[],
): Promise<string> {
  const folder = join(work.folder, 'wheels');
  const exact = wheels.map(({ name, version }) => `${name}==${version}`);
  const args = ['download', ...COMMON, '--no-deps', ...choice(target), '-d', folder, ...exact];
  await runPip(work, pip, args, target.requirement);
  return folder;
}

/** Chooses wheels for this system whatever the version of the Python that runs pip. */
function choice(target: Target): string[] {
  return ['--python-version', WHEEL_PYTHON, ...target.platforms.flatMap((tag) => ['--platform', tag])];
}

interface PipReport {
  install: {
    metadata: { name: string; version: string };
    download_info: { url: string; archive_info?: { hash?: string; hashes?: { sha256?: string } } };
  }[];
}

function parseReport(text: string): ReportedWheel[] {
  return (JSON.parse(text) as PipReport).install.map(({ metadata, download_info }) => {
    const archive = download_info.archive_info;
    // pip 22.2 wrote only `hash`.
    const sha256 = archive?.hashes?.sha256 ?? /^sha256=(.*)$/.exec(archive?.hash ?? '')?.[1] ?? '';
    const file = decodeURIComponent(new URL(download_info.url).pathname.split('/').pop() ?? '');
    return {
      file,
      name: metadata.name.toLowerCase().replace(/[-_.]+/g, '-'),
      version: metadata.version,
      sha256,
    };
  });
}

/** pip's temporary files and its cache go to the work folder: same disk as the result, and gone with it. */
function pipEnv(work: Work): NodeJS.ProcessEnv {
  const { env } = work.host;
  const temporary = join(work.folder, 'tmp');
  return { ...env, TMPDIR: temporary, PIP_CACHE_DIR: env['PIP_CACHE_DIR'] ?? join(work.folder, 'pip-cache') };
}

async function runPip(work: Work, pip: Pip, args: readonly string[], what: string): Promise<void> {
  await mkdir(join(work.folder, 'tmp'), { recursive: true });
  const all = [...pip.prefix, ...args];
  const result = await work.host.run(pip.python, all, { env: pipEnv(work), signal: work.signal });
  if (result.code !== 0) throw pipError(result, what, pip, work.folder);
}

/** The order matters: without a network pip ends with "no matching distribution" too. */
const PIP_FAILURES: readonly [RegExp, InstallErrorCode, string, string][] = [
  [
    /No space left on device|Errno 28|Disk quota exceeded/,
    'BACKEND_DISK_FULL',
    'the disk is full',
    'free some space there, or set ROBUST_CACHE to a folder on a larger disk, and run the command again',
  ],
  [
    /HASH(ES)? .*MISMATCH|DO NOT MATCH THE HASHES/i,
    'BACKEND_WRONG_HASH',
    'the downloaded file is not the one that the package index lists',
    'run the command again; if it stays so, the mirror or a proxy changes files: do not use it',
  ],
  [
    /IncompleteRead|IncompleteDownload|incomplete-download|Connection broken|ConnectionReset|Read timed out|ReadTimeout/,
    'BACKEND_DOWNLOAD_INTERRUPTED',
    'the download was interrupted',
    'run the command again; on a slow line set PIP_DEFAULT_TIMEOUT=300',
  ],
  [
    /NewConnectionError|NameResolution|Name or service not known|name resolution|Connection refused|ConnectTimeout|ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|Network is unreachable|Max retries/,
    'BACKEND_NO_NETWORK',
    'the package index cannot be reached',
    'check the network; behind a proxy or mirror configure pip (`pip config set global.index-url ...`, HTTPS_PROXY, PIP_CERT)',
  ],
  [
    /No matching distribution|Could not find a version/,
    'BACKEND_NO_WHEEL',
    'the package index has no such wheel for this system',
    'if pip uses a mirror, ask for the file to be added to it, or use the public index',
  ],
];

function pipError(result: RunResult, what: string, pip: Pip, folder: string): InstallError {
  const text = `${result.stderr}\n${result.stdout}`;
  const known = PIP_FAILURES.find(([pattern]) => pattern.test(text));
  const tail = text.trim().split('\n').slice(-6).join('\n');
  const [, code, short, advice] = known ?? [
    /./,
    'BACKEND_NO_WHEEL' as const,
    `pip ended with exit code ${result.code}`,
    'read what pip said; `python3 -m pip install --upgrade pip` helps when it is old',
  ];
  const where = code === 'BACKEND_DISK_FULL' ? ` (${folder})` : '';
  const message = `could not fetch ${what} with pip ${pip.version} of ${pip.python}: ${short}${where}\n${tail}`;
  return new InstallError(code, message, advice);
}

function lastLine(result: RunResult): string {
  return `${result.stdout}\n${result.stderr}`.trim().split('\n').pop() || `exit code ${result.code}`;
}
