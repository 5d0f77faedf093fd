import { defineBackend, padExplicitly, RobustError } from '../../../core/index.ts';
import { compileStep } from './compile.ts';
import { InstallError, messageOf } from './errors.ts';
import { registerNativeGradients } from './gradients.ts';
import { installLibrary } from './install.ts';
import { locate, remove } from './library.ts';
import { loadTensorFlow, type LoadedTensorFlow } from './load.ts';
import type { NativeBackend } from './native.ts';
import { quietly } from './quiet.ts';

const ADVICE = 'npx robust backend install tensorflow';

export default defineBackend({
  name: 'tensorflow',
  summary: "TensorFlow's native library through tfjs-node: the fastest on CPUs, and on NVIDIA GPUs.",
  preference: 100,
  options: {
    threads: {
      description: 'Threads inside one operator; null takes one per core.',
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
    },
    device: {
      description: 'Which build to use; `any` takes the GPU build where it is installed.',
      enum: ['any', 'cpu', 'gpu'],
      default: 'any',
    },
  },
  async probe(options, { log }) {
    if (!locate(select(options)))
      return { available: false, detail: 'the native library is not installed', advice: ADVICE };
    try {
      const { info } = load(options, false);
      return { available: true, detail: `TensorFlow ${info.version} on the ${info.device.toUpperCase()}` };
    } catch (error) {
      log.debug(messageOf(error));
      const advice = error instanceof InstallError ? error.advice : ADVICE;
      return { available: false, detail: messageOf(error), advice };
    }
  },
  async start(options, { log }) {
    const { tf, info } = loadOrExplain(options);
    await tf.setBackend('tensorflow');
    await tf.ready();
    const backend = tf.backend() as unknown as NativeBackend;
    registerNativeGradients(backend);
    // tfjs-node knows padding by name only.
    padExplicitly('tensorflow');
    const { version, device, threads } = info;
    return {
      info: { backend: 'tensorflow', version, device, threads },
      compile: (step) => compileStep(backend, step, log),
    };
  },
  async install({ gpu, force }, { log, signal }) {
    const installing = installLibrary({ gpu, force, signal, log: (line) => log.info(line) });
    const { library, alreadyInstalled, seconds } = await explained(installing);
    const { folder, bytes, device } = library;
    const what = `TensorFlow ${library.manifest?.tensorflow ?? 'from upstream'} for the ${device.toUpperCase()}`;
    if (alreadyInstalled) return `${what} is installed already: ${folder}`;
    return `${what}, ${megabytes(bytes)}, installed in ${seconds.toFixed(0)} s: ${folder}`;
  },
  async remove({ signal }) {
    const { folders, bytes } = await explained(remove({ signal }));
    return folders.length === 0
      ? 'nothing was installed'
      : `removed ${folders.join(', ')}: ${megabytes(bytes)}`;
  },
});

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** What went wrong with the library, as an error that says what to do. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof InstallError)) throw cause;
    const { message, code, advice } = cause;
    throw new RobustError('BACKEND_UNAVAILABLE', {
      message,
      where: `tensorflow (${code})`,
      next: advice,
      cause,
    });
  }
}

interface Options {
  readonly threads: number | null;
  readonly device: 'any' | 'cpu' | 'gpu';
}

const select = ({ device }: Options) => ({ gpu: device === 'any' ? undefined : device === 'gpu' });

/**
 * TensorFlow uses oneDNN by itself only on CPUs with AVX-512; with AVX2 its convolutions are 1.3 to 2 times as fast with it.
 * Read while the library is loaded; what the user has set wins.
 */
function load(options: Options, activate: boolean): LoadedTensorFlow {
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  return quietly(() =>
    loadTensorFlow({ ...select(options), threads: options.threads ?? undefined, activate }),
  );
}

function loadOrExplain(options: Options): LoadedTensorFlow {
  try {
    return load(options, true);
  } catch (cause) {
    const next = cause instanceof InstallError ? cause.advice : `run \`${ADVICE}\``;
    throw new RobustError('BACKEND_UNAVAILABLE', {
      message: messageOf(cause),
      where: 'tensorflow',
      next,
      cause,
    });
  }
}
