import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sampleReport, temporaryFolder } from '../../core/testing/index.ts';
import { robust } from './support.ts';

const cwd = temporaryFolder();

function written(configuration: unknown = {}): string {
  const dir = join(cwd, 'run');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  writeFileSync(join(dir, 'report.json'), JSON.stringify({ ...sampleReport(), configuration }));
  return dir;
}

describe('report', () => {
  test('shows a finished run in the terminal', async () => {
    written();
    const { code, stdout } = await robust(['report', 'run'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('mean over images');
  });

  test('writes the files of other reporters into the run folder', async () => {
    const dir = written();
    const argv = ['report', 'run/report.json', '--reporter', 'junit', '--reporter', 'html'];
    expect((await robust(argv, { cwd })).code).toBe(0);
    expect(existsSync(join(dir, 'junit.xml'))).toBe(true);
    expect(existsSync(join(dir, 'report.html'))).toBe(true);
  });

  test('gives a reporter the options of the run', async () => {
    const published = [{ subject: 'nobody', metric: 'dice', eps: 0, value: 0.123 }];
    written({ reporters: ['json', { use: 'figure', published }] });
    const { stdout } = await robust(['report', 'run', '--reporter', 'figure'], { cwd });
    expect(stdout).toMatch(/nobody +dice +clean +0\.123 +not run/);
  });

  test.each([
    [['report', 'nowhere'], 'REPORT_INVALID'],
    [['report', 'run', '--reporter', 'htm'], "PLUGIN_UNKNOWN[^]*did you mean 'html'"],
  ])('%j fails with %s', async (argv, message) => {
    written();
    const { code, stderr } = await robust(argv, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(message));
  });
});
