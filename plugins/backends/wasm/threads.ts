import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker as NodeWorker, type TransferListItem } from 'node:worker_threads';
import { env } from '@tensorflow/tfjs-core';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';

const require = createRequire(import.meta.url);

/** Workers that the module asks for, whatever the number of threads. */
export const POOL = 8;

/**
 * Runs `start` such that the package loads its multi-threaded module, which it does in browsers only: Node's workers
 * take code and paths where it hands out blobs. Everything global that this touches is put back in the end.
 */
export async function withThreads<T>(threads: number, start: () => Promise<T>): Promise<T> {
  const undo = [shimWorker(threads), shimCores(threads)];
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
  setThreadsCount(threads);
  try {
    return await start();
  } finally {
    for (const restore of undo) restore();
  }
}

function shimWorker(threads: number): () => void {
  const folder = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');
  const name = join(folder, 'tfjs-backend-wasm-threaded-simd');
  const { wasmWorkerContents } = require(`${name}.worker.js`) as { wasmWorkerContents: string };
  // The package's string holds line breaks inside string literals.
  const code = wasmWorkerContents.replaceAll('\n', '\\n');
  class Thread extends NodeWorker {
    constructor() {
      super(code, { eval: true });
    }
    override postMessage(message: { urlOrBlob?: unknown }, transfer?: readonly TransferListItem[]): void {
      const located = message.urlOrBlob === undefined ? message : { ...message, urlOrBlob: `${name}.js` };
      super.postMessage(located, transfer);
    }
    /** An idle thread must not keep the process alive. */
    override ref(): void {
      this.unref();
    }
  }
  let made = 0;
  // The module always asks for the same number of workers, and takes them from the last one on.
  const Worker = function () {
    return ++made > POOL - (threads - 1) ? new Thread() : new Spare();
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  // The module assigns to `Worker` itself: the setter ignores it.
  Object.defineProperty(globalThis, 'Worker', {
    get: () => Worker,
    set: () => undefined,
    configurable: true,
  });
  return () => {
    delete (globalThis as { Worker?: unknown }).Worker;
    if (before) Object.defineProperty(globalThis, 'Worker', before);
  };
}

/** The module starts one thread for two cores at most. */
function shimCores(threads: number): () => void {
  const os = require('node:os') as typeof import('node:os');
  const { cpus } = os;
  const [first] = cpus();
  os.cpus = () => Array.from({ length: 2 * threads }, () => first!);
  return () => {
    os.cpus = cpus;
  };
}

/** Stands for a worker that is never used: says that it has loaded, and starts nothing. */
class Spare extends EventEmitter {
  postMessage(): void {
    setImmediate(() => this.emit('message', { cmd: 'loaded' }));
  }
  unref(): void {
    // There is no thread that could keep the process alive.
  }
  terminate(): void {
    this.removeAllListeners();
  }
}
