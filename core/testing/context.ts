import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, tensorflow } from '../engine.ts';
import type { BackendContext, Engine } from '../plugin.ts';
import { makeRandom } from '../random.ts';
import { Registry } from '../registry/index.ts';
import type { Context, Logger } from '../vocabulary.ts';
import { lazy } from './checks/check.ts';

export interface ContextSettings {
  /** A bundled backend's name, `wasm` unless given: it runs everywhere. A process can start one backend only. */
  readonly backend?: string;
  /** Seed of `ctx.random`, 0 unless given. */
  readonly seed?: number;
}

const silent: Logger = { info: () => undefined, warn: () => undefined, debug: () => undefined };
const engines = new Map<string, Promise<Engine>>();

/**
 * A context as plugins receive it: a running backend, seeded random numbers, a logger that says nothing and a folder
 * that is removed when the process ends.
 */
export async function makeContext({ backend = 'wasm', seed = 0 }: ContextSettings = {}): Promise<Context> {
  await engineOf(backend);
  const { log, signal, cacheDir } = backendContext();
  return { tf: tensorflow, log, signal, cacheDir, baseDir: cacheDir, random: makeRandom(seed) };
}

/** The running backend, started when first asked for. */
export function engineOf(backend = 'wasm'): Promise<Engine> {
  const engine = engines.get(backend) ?? start(backend);
  engines.set(backend, engine);
  return engine;
}

/** What a backend may use before there is a `tf`. */
export function backendContext(): BackendContext {
  return { log: silent, signal: new AbortController().signal, cacheDir: temporaryFolder() };
}

/** Holds all temporary folders of this process; made when the first is asked for. */
const root = lazy(() => {
  const dir = mkdtempSync(join(tmpdir(), 'robust-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
});

/** A new folder that is removed when the process ends. */
export function temporaryFolder(): string {
  return mkdtempSync(join(root(), 'dir-'));
}

async function start(name: string): Promise<Engine> {
  const bundledPlugins = new URL('../../plugins/', import.meta.url);
  return startEngine(name, new Registry({ bundledPlugins, baseDir: process.cwd() }), backendContext());
}
