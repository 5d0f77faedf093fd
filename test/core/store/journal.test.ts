import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal, type Entry } from '../../../core/store/journal.ts';
import { temporaryFolder } from '../../../core/testing/index.ts';
import type { Row } from '../../../core/vocabulary.ts';

const row: Row = {
  ...{ cell: 'a/clean/0', subject: 'a', attack: 'clean', eps: 0, sample: 'x', group: 'x' },
  ...{ linf: 0, gradients: 0, values: { dice: 0.1 + 0.2, distance: Infinity }, confusion: [] },
};
const entry: Entry = { samples: ['x', 'y'], rows: [row], cost: { gradients: 3, forwards: 2, seconds: 0.5 } };
const second: Entry = { ...entry, samples: ['z'] };

const open = (folder: string, { seed = 1, fresh = false } = {}) =>
  openJournal(folder, 'a b/c', { seed }, fresh);

test('an entry is read as it was given back when it was stored', async () => {
  const folder = temporaryFolder();
  const stored = await (await open(folder)).add(entry);
  // What JSON cannot hold is lost at once, not after a restart.
  expect(stored.rows[0]!.values).toEqual({ dice: 0.1 + 0.2, distance: null });
  const again = await open(folder);
  expect(again.find(['x', 'y'])).toEqual(stored);
  expect(again.find(['y', 'x'])).toBeUndefined();
  expect(again.find(['x'])).toBeUndefined();
});

test('a journal is lines of JSON under a readable name, the key first', async () => {
  const folder = temporaryFolder();
  const journal = await open(folder);
  await journal.add(entry);
  await journal.add(second);
  const [name, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  expect(name).toMatch(/^a_b_c-[0-9a-f]{12}\.jsonl$/);
  const lines = readFileSync(join(folder, name!), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { seed: 1 },
    { samples: ['x', 'y'] },
    { samples: ['z'] },
  ]);
});

test('a torn last line is ignored, and what follows it is not lost', async () => {
  const folder = temporaryFolder();
  await (await open(folder)).add(entry);
  const file = join(folder, readdirSync(folder)[0]!);
  appendFileSync(file, JSON.stringify(second).slice(0, -5));
  const torn = await open(folder);
  expect(torn.find(['z'])).toBeUndefined();
  await torn.add(second);
  const mended = await open(folder);
  expect([mended.find(['x', 'y']), mended.find(['z'])].map((found) => found?.samples)).toEqual([
    ['x', 'y'],
    ['z'],
  ]);
});

test('another key sees nothing, and the first one is still there when it comes back', async () => {
  const folder = temporaryFolder();
  await (await open(folder)).add(entry);
  expect((await open(folder, { seed: 2 })).find(entry.samples)).toBeUndefined();
  expect((await open(folder)).find(entry.samples)).toBeDefined();
});

test('a fresh journal forgets, but only once it has something new', async () => {
  const folder = temporaryFolder();
  await (await open(folder)).add(entry);
  const fresh = await open(folder, { fresh: true });
  expect(fresh.find(entry.samples)).toBeUndefined();
  expect((await open(folder)).find(entry.samples)).toBeDefined();
  await fresh.add(second);
  await fresh.add({ ...second, samples: ['w'] });
  const after = await open(folder);
  expect([entry.samples, ['z'], ['w']].map((samples) => after.find(samples) !== undefined)).toEqual([
    false,
    true,
    true,
  ]);
});
