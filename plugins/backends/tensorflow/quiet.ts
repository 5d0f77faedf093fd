import { closeSync, constants, fstatSync, openSync } from 'node:fs';

const STDERR = 2;

/**
 * Runs `work` while standard error leads nowhere: what oneDNN has to say at loading ignores every log level. Node cannot
 * duplicate descriptors, but an open file can be opened again through /dev/fd, and a new descriptor gets the lowest
 * free number. Where that is refused (sockets, a terminal of another user, Windows) the lines stay; also in a regular
 * file, which standard output may share: two descriptors with places of their own would overwrite each other.
 */
export function quietly<T>(work: () => T): T {
  const kept = fstatSync(STDERR).isFile() ? undefined : tryOpen(`/dev/fd/${STDERR}`);
  if (kept === undefined) return work();
  redirect('/dev/null');
  try {
    return work();
  } finally {
    redirect(`/dev/fd/${kept}`);
    closeSync(kept);
  }
}

function redirect(path: string): void {
  closeSync(STDERR);
  tryOpen(path);
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY);
  } catch {
    return undefined;
  }
}
