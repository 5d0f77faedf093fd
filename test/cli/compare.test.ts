import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../core/index.ts';
import type { RunComparison } from '../../core/gate/compare.ts';
import { hostileReport, sampleReport, temporaryFolder } from '../../core/testing/index.ts';
import { reportOf, spread } from '../core/gate/support.ts';
import { robust } from './support.ts';

const cwd = temporaryFolder();
const clean = spread(0.9, 0.02, 30, 'clean');
const worse = clean.map((value, i) => (i === 0 ? null : value - 0.05 - 0.0001 * i));
const before = reportOf({ a: { 0: clean, 8: clean }, gone: { 0: clean } });
const after: Report = {
  ...reportOf({ a: { 0: clean, 8: worse }, new: { 0: clean } }),
  seed: 2,
  configuration: { ...(before.configuration as object), attacks: ['x', 'y'] },
};
const hostile = hostileReport();
const files: Record<string, Report> = {
  before,
  after,
  fewer: { ...after, rows: after.rows.filter(({ sample }) => sample !== 'case-3') },
  others: { ...after, rows: after.rows.map((row) => ({ ...row, sample: `${row.sample}b` })) },
  elsewhere: { ...after, dataset: { ...after.dataset, fingerprint: 'f'.repeat(64) } },
  coarser: { ...after, rows: after.rows.filter(({ eps }) => eps === 0) },
  strangers: { ...after, curves: after.curves.filter(({ subject }) => subject === 'new') },
  hostile,
  renamed: {
    ...hostile,
    subjects: sampleReport().subjects,
    curves: hostile.curves.slice(1),
    configuration: { '\u001b[2J': hostile.dataset.name },
  },
};
for (const [name, report] of Object.entries(files))
  writeFileSync(join(cwd, `${name}.json`), JSON.stringify(report));

const compare = (...argv: string[]) => robust(['compare', ...argv], { cwd });
const compared = async (...argv: string[]) =>
  JSON.parse((await compare(...argv, '--json')).stdout) as RunComparison;

test('shows what was changed, and the paired differences of every common cell', async () => {
  const { onlyBefore, onlyAfter, changes, cells } = await compared('before.json', 'after.json');
  const none = { subjects: [], attacks: [], metrics: [], images: [] };
  expect([onlyBefore, onlyAfter]).toEqual([
    { ...none, subjects: ['gone'] },
    { ...none, subjects: ['new'] },
  ]);
  const { fingerprint } = before.subjects[0]!;
  expect(changes).toEqual([
    { path: 'seed', before: 1, after: 2 },
    { path: 'attacks.0', before: 'targeted-ifgsm', after: 'x' },
    { path: 'fingerprints.gone', before: fingerprint },
    { path: 'attacks.1', after: 'y' },
    { path: 'fingerprints.new', after: fingerprint },
  ]);
  expect(cells).toMatchObject([
    { subject: 'a', eps: 0, difference: 0, n: 30, p: 1 },
    { subject: 'a', eps: 8, reference: 'baseline:a', n: 29, undefined: 1 },
  ]);
  expect(cells[1]!.difference).toBeCloseTo(-0.05 - 0.0015, 10);
  expect(cells[1]!.high!).toBeLessThan(-0.05);
  expect(cells[1]!.pHolm!).toBeLessThan(1e-6);
  const mean = clean.reduce((sum, value) => sum + value, 0) / 30;
  expect(cells[1]!.before).toBeCloseTo(mean, 12);
});

test('prints tables that fit the terminal, whatever the names', async () => {
  const { code, stdout } = await compare('before.json', 'after.json');
  expect(code).toBe(0);
  expect(stdout).toContain('only in the run before: subjects gone\n');
  expect(stdout).toMatch(/^seed +1 +2$/m);
  expect(stdout).toMatch(
    /^x +8 +0\.\d{4} +0\.\d{4} +-0\.05\d\d \[-0\.05\d\d, -0\.05\d\d\] +<0\.001\* +29\/30$/m,
  );
  const texts = [stdout, (await compare('hostile.json', 'renamed.json')).stdout];
  expect((await compare('hostile.json', 'hostile.json')).stdout).toContain('what was run is the same');
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    expect([...line].length).toBeLessThanOrEqual(80);
    expect(line).not.toMatch(/\p{Cc}/u);
  }
});

test('compares the images that both hold, and names the others', async () => {
  const { onlyBefore, cells } = await compared('before.json', 'fewer.json');
  expect(onlyBefore.images).toEqual(['case-3']);
  expect(cells[0]).toMatchObject({ n: 29, undefined: 0 });
});

test.each([
  ['elsewhere', 'another data set'],
  ['coarser', 'another eps grid: 0 instead of 0, 8'],
  ['others', 'no image in common'],
  ['strangers', 'no subject, attack and metric in common'],
])('never compares with %s', async (name, reason) => {
  const { code, stderr } = await compare('before.json', `${name}.json`, '--json');
  expect(code).toBe(2);
  expect(JSON.parse(stderr)).toMatchObject({
    error: { code: 'REPORTS_DIFFER', received: expect.stringContaining(reason) as string },
  });
});
