import { spawn, type ChildProcess } from 'node:child_process';

/** How a command ended. `missing` means that the executable itself was not found. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
  readonly input?: string;
}

/** Runs one external command to its end; rejects only when aborted. Tests hand in another one. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/** The real thing: no shell, output collected, the whole process group ended on abort. */
export const run: Run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(options.signal.reason as Error);
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      // Its own group, because pip and g++ start children that would outlive them.
      detached: process.platform !== 'win32',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const abort = () => endGroup(child);
    options.signal?.addEventListener('abort', abort, { once: true });
    const out = collect(child.stdout);
    const err = collect(child.stderr);
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    const settle = (result: RunResult) => {
      options.signal?.removeEventListener('abort', abort);
      if (options.signal?.aborted) reject(options.signal.reason as Error);
      else resolve(result);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      settle({ code: 127, stdout: out(), stderr: error.message, missing });
    });
    child.on('close', (code, signalName) => {
      const stderr = signalName === null ? err() : `${err()}\nended by ${signalName}`;
      settle({ code: code ?? 128, stdout: out(), stderr, missing: false });
    });
  });

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const target = process.platform === 'win32' ? child.pid : -child.pid;
  const end = (signal: NodeJS.Signals) => {
    try {
      process.kill(target, signal);
    } catch {
      // It ended by itself in the meantime.
    }
  };
  end('SIGTERM');
  // Asked politely first, so that pip and the compiler remove their temporary files.
  const insist = setTimeout(() => end('SIGKILL'), 3000);
  child.once('close', () => clearTimeout(insist));
}
