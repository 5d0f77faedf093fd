import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InstallError, systemCode } from './errors.ts';

export interface LockOptions {
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Called once, with the holder's process id, when the lock is taken by somebody else. */
  readonly onWait?: (holder: string) => void;
  readonly pollMs?: number;
  readonly timeoutMs?: number;
}

/** The holder touches its lock this often; three missed touches on another machine mean that it is dead. */
const HEARTBEAT_MS = 10_000;

/**
 * Runs `work` while holding `<folder>/.lock`. The lock of a process that no longer exists is broken. It only saves work:
 * what it guards is put in place by an atomic rename, so losing the lock cannot damage anything.
 */
export async function withLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  const file = join(options.folder, '.lock');
  const token = `${process.pid} ${hostname()} ${randomUUID()}`;
  await acquire(file, token, options);
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readOrEmpty(file)) === token) await rm(file, { force: true });
  }
}

async function acquire(file: string, token: string, options: LockOptions): Promise<void> {
  const deadline = Date.now() + (options.timeoutMs ?? 3_600_000);
  let told = false;
  while (!(await tryCreate(file, token, options.folder))) {
    options.signal?.throwIfAborted();
    const holder = await readOrEmpty(file);
    if (await isStale(file, holder)) {
      await breakLock(file, holder);
      continue;
    }
    if (Date.now() > deadline) throw timeout(file, holder);
    if (!told) options.onWait?.(holder.split(' ')[0] ?? '?');
    told = true;
    await sleep(options.pollMs ?? 200, undefined, options.signal ? { signal: options.signal } : {});
  }
}

async function tryCreate(file: string, token: string, folder: string): Promise<boolean> {
  try {
    // Inside the loop, because a `remove` that ends meanwhile takes the empty folder away.
    await mkdir(folder, { recursive: true });
    await writeFile(file, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Dead process on this machine, or no heartbeat from another one (a home folder may be shared over NFS). */
async function isStale(file: string, holder: string): Promise<boolean> {
  const [pid, machine] = holder.split(' ');
  if (machine === hostname()) return !isAlive(Number(pid));
  try {
    // Also the rare empty file: its writer died between creating and writing it.
    return Date.now() - (await stat(file)).mtimeMs > 3 * HEARTBEAT_MS;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/**
 * Two waiters may both see a stale lock; the second must not delete the lock that the first has just taken. So the
 * breaking itself is guarded by a file, and the content is looked at again under it.
 */
async function breakLock(file: string, holder: string): Promise<void> {
  const guard = `${file}-breaking`;
  try {
    await writeFile(guard, '', { flag: 'wx' });
  } catch {
    const age = await stat(guard).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > HEARTBEAT_MS) await rm(guard, { force: true });
    await sleep(20);
    return;
  }
  try {
    if ((await readOrEmpty(file)) === holder) await unlink(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  } finally {
    await rm(guard, { force: true });
  }
}

async function readOrEmpty(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

function touch(file: string): void {
  const now = new Date();
  utimes(file, now, now).catch(() => undefined);
}

function timeout(file: string, holder: string): InstallError {
  return new InstallError(
    'BACKEND_LOCK_TIMEOUT',
    `another install (process ${holder.split(' ')[0]}) has held ${file} for too long`,
    'wait for it to end; if it hangs, end that process and run the command again',
  );
}
