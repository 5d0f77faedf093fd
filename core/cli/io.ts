import { Chalk, type ChalkInstance } from 'chalk';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Screen } from '../runner.ts';
import type { Logger } from '../vocabulary.ts';

/** A stream of text: standard output, standard error, or a test's. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Everything that the program reads from and writes to its surroundings. */
export interface Io {
  /** Carries the result and nothing else. */
  readonly stdout: Output;
  /** Carries the talk. */
  readonly stderr: Output;
  /** Where questions are answered; nobody is asked where it is no terminal. */
  readonly stdin?: Readable & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** How much is said. */
export interface Talk {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** The surroundings of this process. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  return {
    // Opened only for a question: it may be closed, or belong to somebody else.
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
  };
}

/** Colours as the stream and the person want them: NO_COLOR, then FORCE_COLOR, then whether it is a terminal. */
export function colours(output: Output, env: NodeJS.ProcessEnv): ChalkInstance {
  return new Chalk({ level: hasColour(output, env) ? 1 : 0 });
}

function hasColour(output: Output, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

/** Reporters print to standard output, unless that is kept for JSON. */
export function screen({ stdout, stderr, env }: Io, json = false): Screen {
  const output = json ? stderr : stdout;
  const print = (text: string) => void output.write(text);
  return { print, columns: output.columns ?? 80, colour: hasColour(output, env) };
}

/** Talk on standard error. */
export function makeLogger({ stderr, env }: Io, { quiet = false, verbose = false }: Talk = {}): Logger {
  const paint = colours(stderr, env);
  // A progress bar may stand in the last line.
  const start = stderr.isTTY ? '\r\u001b[2K' : '';
  const say = (text: string) => void stderr.write(`${start}${text}\n`);
  return {
    info: (message) => (quiet ? undefined : say(message)),
    warn: (message) => say(`${paint.yellow('warning:')} ${message}`),
    debug: (message) => (verbose ? say(paint.dim(message)) : undefined),
  };
}

/** A folder that outlives runs: `ROBUST_CACHE`, else the platform's convention. */
export function cacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (env['ROBUST_CACHE']) return env['ROBUST_CACHE'];
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'robust');
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'robust');
}
