import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cost, Row } from '../vocabulary.ts';

/** What decides a piece of work's outcome, by name: a journal belongs to one set of these. */
export type JournalKey = Readonly<Record<string, unknown>>;

/** One batch of images that went through one piece of work, and what that cost. */
export interface Entry {
  readonly samples: readonly string[];
  readonly rows: readonly Row[];
  readonly cost: Cost;
}

/** The finished batches of one piece of work, in a file that outlives the process. */
export interface Journal {
  /** The entry of exactly these samples in this order. */
  find(samples: readonly string[]): Entry | undefined;
  /** Stores an entry, and gives it as a later run will read it. */
  add(entry: Entry): Promise<Entry>;
}

/**
 * Opens the journal of a key: JSON lines, the first of which is the key itself. An entry is one line, written at once;
 * a line that a dying process tore is ignored. The file's name ends in a hash of the key, so that whatever changes the
 * outcome starts another file, and going back finds the old one.
 *
 * @param name What a person calls this work; the beginning of the file's name.
 * @param fresh Forget what the file holds.
 */
export async function openJournal(
  folder: string,
  name: string,
  key: JournalKey,
  fresh: boolean,
): Promise<Journal> {
  const head = JSON.stringify(key);
  const hash = createHash('sha256').update(head).digest('hex').slice(0, 12);
  const file = join(folder, `${name.replaceAll(/[^\w.+-]+/g, '_')}-${hash}.jsonl`);
  const text = fresh ? '' : await readText(file);
  const entries = new Map(text.split('\n').flatMap(parseEntry));
  // A new line ends what may be torn; empty lines mean nothing.
  let start = text === '' ? `${head}\n` : '\n';
  return {
    find: (samples) => entries.get(identify(samples)),
    async add(entry) {
      const line = JSON.stringify(entry);
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, `${start}${line}\n`, { flag: fresh && start !== '' ? 'w' : 'a' });
      start = '';
      const [[id, stored]] = parseEntry(line) as [[string, Entry]];
      entries.set(id, stored);
      return stored;
    },
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw cause;
  }
}

/** The key and torn lines are no entries. */
function parseEntry(line: string): [string, Entry][] {
  try {
    const entry = JSON.parse(line) as Partial<Entry>;
    return entry.samples && entry.rows && entry.cost ? [[identify(entry.samples), entry as Entry]] : [];
  } catch {
    return [];
  }
}

function identify(samples: readonly string[]): string {
  return JSON.stringify(samples);
}
