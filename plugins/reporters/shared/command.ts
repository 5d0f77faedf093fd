import type { Report } from '../../../core/index.ts';

/**
 * The command that does a run again: the preset or file it came from, and what flags and environment added to it.
 * The folder it ran in is the reader's to know.
 */
export function commandOf({ configuration, origins }: Pick<Report, 'configuration' | 'origins'>): string {
  const entries = Object.entries(origins);
  const isAdded = (origin: string) => /^(--|ROBUST_)/.test(origin);
  const sources = [...new Set(entries.map(([, origin]) => origin))].filter(
    (origin) => origin !== 'default' && !isAdded(origin),
  );
  // A file that extends presets names them itself.
  const target = sources.find((origin) => !origin.startsWith('preset:')) ?? sources[0];
  const sets = entries
    .filter(([, origin]) => isAdded(origin))
    .map(([path]) => `--set ${quote(`${path}=${JSON.stringify(at(configuration, path))}`)}`);
  return ['npx robust run', ...(target === undefined ? [] : [quote(target)]), ...sets].join(' ');
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, key) => (found as Record<string, unknown> | undefined)?.[key], value);
}

/** A word of a POSIX shell. */
function quote(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
