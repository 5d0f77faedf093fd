import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { InstallError, messageOf } from './errors.ts';
import { keepingGradients } from './gradients.ts';
import { thisHost, type Host } from './host.ts';
import { locate, type InstalledLibrary } from './library.ts';
import { intraOpThreads } from './session.ts';

/** The module of `@tensorflow/tfjs-node-gpu`: tfjs's union package, and `node` with its summary and SavedModel readers. */
export type TensorFlowModule = typeof import('@tensorflow/tfjs-node-gpu');

export interface LoadOptions {
  /** Let TensorFlow write its log lines to stderr. */
  verbose?: boolean;
  /** Only this build; without it whatever is installed (see `locate`). */
  gpu?: boolean | undefined;
  /** Threads inside one operator; TensorFlow's default is one per core this process may use. */
  threads?: number | undefined;
  /** Make `tensorflow` the active backend (default). With false the backend that was active stays so. */
  activate?: boolean;
  /** An addon to load instead of the installed one: the self-test of an installation not yet in place. */
  addon?: string;
  host?: Host;
}

export interface LoadInfo {
  /** The version that TensorFlow's C library reports. */
  readonly version: string;
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  readonly addon: string;
  readonly origin: InstalledLibrary['origin'] | 'given';
}

export interface LoadedTensorFlow {
  readonly tf: TensorFlowModule;
  readonly info: LoadInfo;
}

/**
 * Loads `@tensorflow/tfjs-node-gpu` with the addon from the cache. Everything comes from Node's CommonJS cache, so
 * `import '@tensorflow/tfjs-core'` elsewhere gives the same engine. A second call returns the same module.
 */
export function loadTensorFlow(options: LoadOptions = {}): LoadedTensorFlow {
  const host = options.host ?? thisHost();
  const library = options.addon === undefined ? installedOrThrow(host, options.gpu) : undefined;
  const addon = options.addon ?? library!.addon;
  setEnvironment(options);
  defineIsNullOrUndefined();
  const tf = requireWithAddon(host, addon, options.activate ?? true);
  const backend = tf.findBackend('tensorflow') as unknown as NativeBackend;
  const info: LoadInfo = {
    version: backend.binding.TF_Version,
    device: backend.binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
    threads: intraOpThreads(),
    addon,
    origin: library?.origin ?? 'given',
  };
  return { tf, info };
}

interface NativeBackend {
  binding: { TF_Version: string; isUsingGpuDevice(): boolean };
}

function installedOrThrow(host: Host, gpu: boolean | undefined): InstalledLibrary {
  const library = locate({ gpu, host });
  if (library) return library;
  const which = gpu === true ? ' for the GPU' : '';
  throw new InstallError(
    'BACKEND_NOT_INSTALLED',
    `the native TensorFlow library${which} is not installed for this user`,
    `run \`robust backend install tensorflow${gpu === true ? ' --gpu' : ''}\`, or choose another backend`,
  );
}

/** TensorFlow reads these once, while it is loaded; what the user has set wins. */
function setEnvironment(options: LoadOptions): void {
  // At 3 nothing is written, not even the two lines of a GPU build without a GPU that ignore 2. Failures of operators
  // are thrown as exceptions all the same.
  if (options.verbose) process.env['TF_CPP_MIN_LOG_LEVEL'] = '0';
  else process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (options.threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] = String(options.threads);
}

/**
 * tfjs-node 4.22 calls util.isNullOrUndefined for every operator; Node 22 warns about it and Node 23 removed it. A plain
 * function of the same meaning is put there.
 */
function defineIsNullOrUndefined(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
}

/**
 * tfjs-node asks node-pre-gyp for the addon's path, which is always inside node_modules. While it loads, that one module
 * is answered from here: nothing is written to node_modules, and node-pre-gyp's dependencies are never loaded.
 */
function requireWithAddon(host: Host, addon: string, activate: boolean): TensorFlowModule {
  const require = createRequire(join(host.addonPackage, 'dist', 'index.js'));
  // Loading makes the backend the active one. Nothing was chosen before: then it would be tfjs's automatic choice too.
  const before = (require('@tensorflow/tfjs-core') as TensorFlowModule).getBackend();
  const finder = require.resolve('@mapbox/node-pre-gyp');
  const original = require.cache[finder];
  const stub = new Module(finder);
  Object.assign(stub, { filename: finder, loaded: true, exports: { find: () => addon } });
  require.cache[finder] = stub;
  try {
    const tf = keepingGradients(() => require(host.addonPackage) as TensorFlowModule);
    const wanted = activate ? 'tensorflow' : before;
    // Takes effect at once, because a backend that was active is initialised already.
    if (wanted && wanted !== tf.getBackend()) void tf.setBackend(wanted);
    return tf;
  } catch (cause) {
    throw new InstallError(
      'BACKEND_LOAD_FAILED',
      `the native TensorFlow library could not be loaded from ${addon}: ${messageOf(cause)}`,
      'run `robust backend remove tensorflow` and `robust backend install tensorflow` again',
      { cause },
    );
  } finally {
    if (original) require.cache[finder] = original;
    else Reflect.deleteProperty(require.cache, finder);
  }
}
