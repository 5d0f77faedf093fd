import { readFileSync, readdirSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InstallError } from './errors.ts';
import type { Host } from './host.ts';
import { ADDON_PATH } from './library.ts';
import { SESSION_HEADER } from './session.ts';
import type { Source } from './source.ts';
import { NAPI_VERSION, type Target } from './target.ts';

export interface BuildOptions {
  readonly host: Host;
  readonly target: Target;
  /** The folder that becomes the installation. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
}

const INCLUDE = /^\s*#\s*include\s+["<]([^">]+)[">]/gm;

/** Takes the libraries, the headers that the binding needs, and for a GPU the CUDA libraries out of the source. */
export async function extractFiles(source: Source, options: BuildOptions): Promise<void> {
  const { target, folder } = options;
  for (const { file, link } of target.libraries) {
    await source.extract(`tensorflow/${file}`, join(folder, 'deps/lib', file));
    await symlink(file, join(folder, 'deps/lib', link));
  }
  for (const header of await neededHeaders(source, options.host)) {
    await source.extract(`tensorflow/include/${header}`, join(folder, 'include', header));
  }
  if (!target.gpu) return;
  // The libraries look for CUDA in ../nvidia/<package>/lib, seen from their own folder: the layout of site-packages.
  for (const name of (await source.names()).filter((path) => CUDA_FILE.test(path))) {
    await source.extract(name, join(folder, 'deps', name));
    if (name.endsWith('/ptxas')) await chmod(join(folder, 'deps', name), 0o755);
  }
}

const CUDA_FILE = /^nvidia\/[^/]+\/(lib\/[^/]+\.so[.\d]*|nvvm\/libdevice\/[^/]+|bin\/ptxas)$/;

/** The TensorFlow includes of the binding and of our operators, and theirs in turn: 20 headers of the wheel's ten thousand. */
async function neededHeaders(source: Source, host: Host): Promise<Set<string>> {
  const texts = [join(host.addonPackage, 'binding'), KERNEL_FOLDER].flatMap((folder) =>
    readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8')),
  );
  const waiting = texts.flatMap((text) => [...text.matchAll(INCLUDE)].map((match) => match[1]!));
  const needed = new Set<string>();
  for (let header = waiting.pop(); header !== undefined; header = waiting.pop()) {
    if (needed.has(header) || !source.has(`tensorflow/include/${header}`)) continue;
    needed.add(header);
    const text = await source.text(`tensorflow/include/${header}`);
    for (const match of text.matchAll(INCLUDE)) waiting.push(match[1]!);
  }
  return needed;
}

/** Drops symbols that only a debugger needs: a quarter of the size. Not on macOS, where it would break the signature. */
export async function stripLibraries(options: BuildOptions): Promise<void> {
  const { host, target, folder, signal } = options;
  if (host.platform !== 'linux') return;
  const files = target.libraries.map(({ file }) => join(folder, 'deps/lib', file));
  const result = await host.run('strip', ['--strip-unneeded', ...files], { env: host.env, signal });
  if (result.missing) options.log('strip is not on PATH: the library stays larger than needed');
  else if (/No space left/.test(result.stderr)) throw diskFull(folder, result.stderr);
  else if (result.code !== 0)
    options.log(`strip failed, the library stays larger than needed: ${result.stderr.trim()}`);
}

/** Operators of our own; the build copies the folder beside the compiled plugin. */
const KERNEL_FOLDER = fileURLToPath(new URL('kernel/', import.meta.url));

const HEADER_PATH = 'include/session.h';

/** Compiles tfjs-node's binding and our operators against the extracted library. */
export async function compileAddon(options: BuildOptions): Promise<void> {
  const { host, folder, signal } = options;
  await mkdir(join(folder, dirname(ADDON_PATH)), { recursive: true });
  await writeFile(join(folder, HEADER_PATH), SESSION_HEADER);
  const tried: string[] = [];
  for (const compiler of compilers(host)) {
    const [command = '', ...first] = compiler.split(/\s+/);
    const args = [...first, ...compilerArguments(host, folder)];
    const result = await host.run(command, args, { env: host.env, signal });
    if (result.code === 0) return;
    if (!result.missing) throw compileError(compiler, result.code, result.stderr, folder);
    tried.push(command);
  }
  throw new InstallError(
    'BACKEND_NO_COMPILER',
    `the addon of @tensorflow/tfjs-node-gpu has to be compiled, and there is no C++ compiler: looked for ${tried.join(', ')} on PATH`,
    'on Debian or Ubuntu: `apt install g++`; on Fedora: `dnf install gcc-c++`; on macOS: `xcode-select --install`; or set CXX',
  );
}

function compilers(host: Host): string[] {
  const chosen = host.env['CXX']?.trim();
  return chosen ? [chosen] : ['g++', 'clang++', 'c++'];
}

function compilerArguments(host: Host, folder: string): string[] {
  const mac = host.platform === 'darwin';
  const binding = join(host.addonPackage, 'binding');
  return [
    ...[
      '-O3',
      '-std=c++17',
      '-fPIC',
      '-pthread',
      `-DNAPI_VERSION=${NAPI_VERSION}`,
      '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    ],
    ...(mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
    ...[`-I${host.nodeApiHeaders}`, `-I${join(folder, 'include')}`],
    ...['-include', join(folder, HEADER_PATH)],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(binding, file)),
    join(KERNEL_FOLDER, 'winograd_conv2d.cc'),
    ...['-o', join(folder, ADDON_PATH), `-L${join(folder, 'deps/lib')}`],
    // No shell is involved, so the dollar sign needs no quoting.
    `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}/../../deps/lib`,
    ...['-ltensorflow', '-ltensorflow_framework'],
  ];
}

function compileError(compiler: string, code: number, stderr: string, folder: string): InstallError {
  if (/No space left on device/.test(stderr)) return diskFull(folder, stderr);
  const lines = stderr.trim().split('\n');
  const errors = lines.filter((line) => /error|undefined reference/i.test(line));
  const shown = (errors.length > 0 ? errors : lines).slice(0, 5).join('\n');
  return new InstallError(
    'BACKEND_COMPILE_FAILED',
    `${compiler} could not compile the addon of @tensorflow/tfjs-node-gpu (exit code ${code}):\n${shown}`,
    'GCC 9 or Clang 10 or newer is needed, with its C++ standard library; set CXX to use another compiler',
  );
}

/** The same words wherever the disk fills up. */
export function diskFull(folder: string, detail: string): InstallError {
  return new InstallError(
    'BACKEND_DISK_FULL',
    `the disk is full (${folder}): ${detail.trim().split('\n').pop()}`,
    'free some space there, or set ROBUST_CACHE to a folder on a larger disk, and run the command again',
  );
}
