import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GateResult, Report } from '../../core/index.ts';
import { temporaryFolder } from '../../core/testing/index.ts';
import { robust } from './support.ts';

const config = (gates: string) => `export default {
  dataset: { use: 'chest-phantom', size: 16, train: 2, test: 3 },
  subjects: { plain: { model: { use: 'unet', width: 1, depth: 1 } } },
  training: { epochs: 1, batch: 2 },
  backend: 'wasm',
  batch: 2,
  eps: [1, 2],
  output: 'out',
  gates: [
    ${gates},
  ],
};`;

const loose = "'dice >= 0 at eps 2'";
const strict = "'dice >= 1 at eps 2'";
const cwd = temporaryFolder();
const files = {
  'robust.config.mjs': config(loose),
  'strict.mjs': config(strict),
  'gates.json': '{ "gates": ["dice regression <= 0.005", "dice drop <= 0.9"] }',
  'unsure.json': '{ "gates": [{ "metric": "dice", "min": 0.5, "eps": 2 }] }',
  'unknown.json': '{ "gates": ["dice >= 0.5 at eps 4"] }',
  'malformed.json': '{ "gates": ["dice is high"] }',
  'regression.json': '{ "gates": ["dice regression <= 0.005"] }',
  'none.json': '{}',
  'nan.json': '{ "rows": [{ "dice": NaN }] }',
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);

describe('run', () => {
  test('passes loose gates with 0, and keeps their results in the report', async () => {
    const { code, stdout } = await robust(['run', '--json', '--quiet'], { cwd });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Report).gates).toMatchObject([
      {
        verdict: 'pass',
        rule: 'dice >= 0 at eps 2',
        subject: 'plain',
        eps: 2,
        origin: 'robust.config.mjs:10',
      },
    ]);
  });

  test('fails strict gates with 1', async () => {
    const { code } = await robust(['run', 'strict.mjs', '--quiet'], { cwd });
    expect(code).toBe(1);
  });

  test('refuses a gate on what the run will not hold, before it starts', async () => {
    const argv = ['run', '--json', '--set', 'gates=["dice >= 0.5 at subject plane"]'];
    const { code, stderr } = await robust(argv, { cwd });
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'CONFIG_INVALID', next: expect.stringContaining("'plain'") as string },
    });
  });
});

describe('gate', () => {
  const gate = (...argv: string[]) => robust(['gate', ...argv], { cwd });

  test("applies the run's own gates to its folder", async () => {
    const { code, stdout } = await gate('out');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^fail {10}dice >= 1 at eps 2\n {14}plain, targeted-ifgsm, eps 2: .*wanted\s+>= 1\n$/,
    );
  });

  test('applies the gates of a configuration, against a baseline', async () => {
    const { code, stdout } = await gate(
      'out/report.json',
      '--config',
      'gates.json',
      '--baseline',
      'out/report.json',
      '--json',
    );
    expect(code).toBe(0);
    const { verdict, gates } = JSON.parse(stdout) as { verdict: string; gates: GateResult[] };
    expect(verdict).toBe('pass');
    expect(gates.map(({ rule, eps, origin }) => [rule, eps, origin])).toEqual([
      ['dice regression <= 0.005', 0, 'gates.json:1'],
      ['dice regression <= 0.005', 1, 'gates.json:1'],
      ['dice regression <= 0.005', 2, 'gates.json:1'],
      ['dice drop <= 0.9', 1, 'gates.json:1'],
      ['dice drop <= 0.9', 2, 'gates.json:1'],
    ]);
  });

  test('exits with 3 under --strict when a gate is inconclusive', async () => {
    const report = JSON.parse(readFileSync(join(cwd, 'out/report.json'), 'utf8')) as Report;
    const [first] = report.rows;
    const rows = report.rows.map((row) => ({
      ...row,
      values: { dice: row.sample === first!.sample ? 0.1 : 0.9 },
    }));
    writeFileSync(join(cwd, 'unsure-report.json'), JSON.stringify({ ...report, rows }));
    expect((await gate('unsure-report.json', '--config', 'unsure.json')).code).toBe(0);
    const { code, stdout } = await gate('unsure-report.json', '--config', 'unsure.json', '--strict');
    expect(code).toBe(3);
    expect(stdout).toMatch(/^inconclusive +dice >= 0.5 at eps 2$/m);
  });

  test('exits with 2 when a gate cannot be judged', async () => {
    const { code, stdout } = await gate('out', '--config', 'unknown.json');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^error +dice >= 0.5 at eps 4$/m);
    expect((await gate('out', '--config', 'gates.json')).stdout).toContain('--baseline FILE');
  });

  describe('exits with 2, and says why, when', () => {
    type Change = (report: Report) => Report;
    const withRows =
      (change: (rows: Report['rows']) => Report['rows']): Change =>
      (report) => ({ ...report, rows: change(report.rows) });
    const isOne = ({ eps, sample }: Report['rows'][number], first: string) => eps === 2 && sample === first;

    test.each<[string, 'run' | 'baseline', Change, RegExp]>([
      [
        'an image was not measured',
        'run',
        withRows((rows) => rows.filter((row) => !isOne(row, rows[0]!.sample))),
        /2 of 3 images were measured/,
      ],
      [
        'a value is undefined',
        'run',
        withRows((rows) =>
          rows.map((row) => (isOne(row, rows[0]!.sample) ? { ...row, values: { dice: null } } : row)),
        ),
        /undefined for 1 of 3 images/,
      ],
      [
        'the baseline holds other images',
        'baseline',
        withRows((rows) =>
          rows.map((row) => ({ ...row, sample: row.sample === rows[0]!.sample ? 'another' : row.sample })),
        ),
        /holds other images: 2/,
      ],
      [
        'the baseline has other data',
        'baseline',
        (report) => ({ ...report, dataset: { ...report.dataset, fingerprint: 'another' } }),
        /another data set/,
      ],
      [
        'the baseline has another eps grid',
        'baseline',
        withRows((rows) => rows.filter(({ eps }) => eps !== 1)),
        /another eps grid: 0, 2 instead of 0, 1, 2/,
      ],
    ])('%s', async (_when, which, change, words) => {
      const report = JSON.parse(readFileSync(join(cwd, 'out/report.json'), 'utf8')) as Report;
      writeFileSync(join(cwd, 'changed.json'), JSON.stringify(change(report)));
      const { code, stdout } = await (which === 'run'
        ? gate('changed.json', '--config', 'unsure.json')
        : gate('out', '--config', 'regression.json', '--baseline', 'changed.json'));
      expect({ code, stdout: stdout.replaceAll(/\s+/g, ' ') }).toEqual({
        code: 2,
        stdout: expect.stringMatching(words) as string,
      });
    });
  });

  test.each([
    ['CONFIG_INVALID', ['out', '--config', 'malformed.json']],
    ['GATES_MISSING', ['out', '--config', 'none.json']],
    ['CONFIG_NOT_FOUND', ['out', '--config', 'nowhere.json']],
    ['REPORT_INVALID', ['nowhere']],
    ['REPORT_INVALID', ['none.json']],
    ['REPORT_INVALID', ['nan.json']],
    ['REPORT_INVALID', ['robust.config.mjs']],
    ['REPORT_INVALID', ['out', '--baseline', 'none.json']],
  ])('exits with 2 and %s for %j', async (error, argv) => {
    const { code, stdout, stderr } = await gate(...argv, '--json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: error } });
  });
});
