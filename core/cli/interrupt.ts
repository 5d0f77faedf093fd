import type { Logger } from '../vocabulary.ts';

/**
 * Runs work that the person can interrupt: the first Ctrl-C aborts the signal, and the work is expected to end with
 * what it has; the second one ends the process at once, as it would without us.
 */
export async function interruptible<T>(log: Logger, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    log.warn('stopping after the current step; press Ctrl-C again to end at once');
    controller.abort();
  };
  process.once('SIGINT', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.removeListener('SIGINT', stop);
  }
}
