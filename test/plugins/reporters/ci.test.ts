import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryPages, validateXML } from 'xmllint-wasm';
import { resolveOptions, type GateResult, type Report, type ReporterPlugin } from '../../../core/index.ts';
import { temporaryFolder } from '../../../core/testing/index.ts';
import github from '../../../plugins/reporters/github.ts';
import junit from '../../../plugins/reporters/junit.ts';
import markdown from '../../../plugins/reporters/markdown.ts';
import { hostileRun, plainRun } from './runs.ts';

const schema = readFileSync(new URL('../../../fixtures/junit/jenkins.xsd', import.meta.url), 'utf8');

/** What a reporter prints, and the files that it writes. */
async function show(reporter: ReporterPlugin, report: Report) {
  let printed = '';
  const files: Record<string, string> = {};
  await reporter.report(report, resolveOptions(reporter), {
    dir: temporaryFolder(),
    print: (text) => (printed += text),
    write: async (name, content) => void (files[name] = String(content)),
    columns: 80,
    colour: false,
  });
  return { printed, files };
}

const { report } = await plainRun();
const hostile = (await hostileRun()).report;

function gate(verdict: GateResult['verdict'], origin: string): GateResult {
  const measured = { measured: 0.4, low: 0.35, high: 0.45, threshold: 0.5 };
  const place = { subject: 'unet', attack: 'targeted-ifgsm', eps: 8 };
  return {
    rule: 'dice >= 0.5, 100%',
    level: 'error',
    verdict,
    ...measured,
    ...place,
    message: `seen: ${verdict}`,
    origin,
  };
}

const verdicts = ['pass', 'warn', 'fail', 'inconclusive', 'error'] as const;
const judged: Report = {
  ...report,
  gates: verdicts.map((verdict, index) => gate(verdict, `ci/robust.config.ts:${index + 1}`)),
};

describe('junit', () => {
  it.each([
    ['a report', judged],
    ['hostile names', hostile],
    ['a report that nothing judges', { ...report, gates: [], audit: [] }],
  ])('fits the schema for %s', async (_name, some) => {
    const { files } = await show(junit, some);
    const { valid, errors } = await validateXML({
      xml: [{ fileName: 'junit.xml', contents: files['junit.xml']! }],
      schema: [{ fileName: 'jenkins.xsd', contents: schema }],
      maxMemoryPages: memoryPages.defaultMaxMemoryPages,
    });
    expect(errors).toEqual([]);
    expect(valid).toBe(true);
  });

  it('counts each verdict for what it is', async () => {
    const xml = (await show(junit, judged)).files['junit.xml']!;
    const gates = /<testsuite name="robust gates"[^>]*>/.exec(xml)![0];
    expect(gates).toContain('tests="5" failures="1" errors="1" skipped="1"');
    expect(xml).toContain('name="dice >= 0.5, 100% (unet, targeted-ifgsm, eps 8)"');
    expect(xml).toContain('message="seen: fail (ci/robust.config.ts:3)"');
    const stopped = (await show(junit, { ...report, status: 'interrupted' })).files['junit.xml']!;
    expect(/<testsuite name="robust run"[^>]*>/.exec(stopped)![0]).toContain('failures="1"');
  });
});

describe('github', () => {
  beforeEach(() => vi.stubEnv('GITHUB_WORKSPACE', ''));
  afterEach(() => vi.unstubAllEnvs());

  it('annotates the line of each gate that did not pass', async () => {
    const { printed } = await show(github, { ...judged, audit: [] });
    expect(printed.split('\n')).toEqual([
      '::warning file=ci/robust.config.ts,line=2,title=dice >= 0.5%2C 100%25::warn: unet, targeted-ifgsm, eps 8: seen: warn',
      '::error file=ci/robust.config.ts,line=3,title=dice >= 0.5%2C 100%25::fail: unet, targeted-ifgsm, eps 8: seen: fail',
      '::warning file=ci/robust.config.ts,line=4,title=dice >= 0.5%2C 100%25::inconclusive: unet, targeted-ifgsm, eps 8: seen: inconclusive',
      '::error file=ci/robust.config.ts,line=5,title=dice >= 0.5%2C 100%25::error: unet, targeted-ifgsm, eps 8: seen: error',
      '::notice title=robust::chest-phantom, 3 images: 1 error, 1 fail, 1 inconclusive, 1 warn, 1 pass',
      '',
    ]);
  });

  it('names files from the root of the repository, wherever it runs', async () => {
    vi.stubEnv('GITHUB_WORKSPACE', dirname(process.cwd()));
    const { printed } = await show(github, { ...judged, audit: [] });
    expect(printed).toContain(`::error file=${basename(process.cwd())}/ci/robust.config.ts,line=3,`);
  });

  it.each(['--set', 'ROBUST_GATES', 'preset:quickstart', 'given', undefined])(
    'names no file where a gate comes from %s',
    async (origin) => {
      const { origin: _origin, ...rest } = gate('fail', '');
      const gates = [{ ...rest, ...(origin !== undefined && { origin }) }];
      expect((await show(github, { ...report, gates, audit: [] })).printed).toMatch(/^::error title=dice/);
    },
  );

  it('prints nothing but commands, whatever the names', async () => {
    const { printed } = await show(github, hostile);
    for (const line of printed.trimEnd().split('\n'))
      expect(line).toMatch(/^::(error|warning|notice) [^:]*::/);
  });

  it('adds a summary to the page of the job, and a warning where it cannot', async () => {
    const file = join(temporaryFolder(), 'summary.md');
    writeFileSync(file, 'before\n');
    vi.stubEnv('GITHUB_STEP_SUMMARY', file);
    await show(github, judged);
    const summary = readFileSync(file, 'utf8');
    expect(summary).toMatch(/^before\n## ❌ error: robustness on chest-phantom\n/);
    vi.stubEnv('GITHUB_STEP_SUMMARY', join(file, 'nowhere'));
    expect((await show(github, judged)).printed).toContain(
      '::warning title=robust::The job summary could not be written',
    );
  });
});

describe('markdown', () => {
  it('shows verdicts, scores, what the audit found and the command', async () => {
    const text = (await show(markdown, judged)).files['report.md']!;
    expect(text).toContain('| unet | targeted-ifgsm | 0.950 | 0.100 | 32 |');
    expect(text).toContain('| ❌ fail | dice &#62;= 0.5, 100% | unet, targeted-ifgsm, eps 8 | seen: fail |');
    expect(text).toContain('| ❌ fail | The loss rises along the attack | unet, targeted-ifgsm |');
    expect(text).toContain('\n    npx robust run preset:quickstart\n');
  });

  it('lets no name become markup or another cell', async () => {
    const text = (await show(markdown, hostile)).files['report.md']!;
    expect(text).not.toContain('<img');
    const tables = text.split('\n').filter((line) => line.startsWith('|'));
    const cells = tables.map((line) => line.replaceAll(/\\./g, '').split('|').length);
    expect(new Set(cells)).toEqual(new Set([6, 7]));
  });
});
