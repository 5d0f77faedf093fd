import type { Logger } from '../vocabulary.ts';

/** Exit code of what the person interrupted, as shells have it: 128 + SIGINT. */
export const INTERRUPTED = 130;

/**
 * Runs work that the person can interrupt, and gives its exit code: the first Ctrl-C aborts the signal, and the work
 * is expected to end with what it has; the second one ends the process at once, as it would without us.
 */
export async function interruptible(
  log: Logger,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = () => {
    log.warn('stopping after the current step; press Ctrl-C again to end at once');
    controller.abort();
  };
  process.once('SIGINT', stop);
  try {
    return await work(signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return INTERRUPTED;
    throw error;
  } finally {
    process.removeListener('SIGINT', stop);
  }
}
