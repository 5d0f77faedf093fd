import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../core/testing/index.ts';
import type { Config, Hooks, Report } from '../../core/index.ts';
import { watchRun, type Watched } from './resumed-run.ts';

const script = fileURLToPath(new URL('resumed-run.ts', import.meta.url));

/** All runs of a folder are child processes: the code of a plugin reads differently inside the test runner. */
function start(output: string, place: 'training' | 'sweep' | 'never') {
  const args = ['--import', 'jiti/register', script, output, place];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

function killedIn(place: 'training' | 'sweep', output: string): void {
  const { signal, stderr } = start(output, place);
  expect(signal, stderr).toBe('SIGKILL');
  expect(existsSync(join(output, 'report.json'))).toBe(false);
}

/** A report without what may differ between equal runs. */
function timeless(report: Report): unknown {
  const varying = /^(seconds|startedAt|output|memory)$/;
  return JSON.parse(JSON.stringify(report, (key, value: unknown) => (varying.test(key) ? 0 : value)));
}

describe('a run whose process was killed twice', () => {
  const output = temporaryFolder();
  let whole: Watched;
  let resumed: Watched;
  beforeAll(async () => {
    whole = await watchRun(temporaryFolder());
    killedIn('training', output);
    killedIn('sweep', output);
    resumed = JSON.parse(start(output, 'never').stdout) as Watched;
  });

  it('ends with the report of one that nobody disturbed, costs included', () => {
    expect(timeless(resumed.report)).toEqual(timeless(whole.report));
    expect(resumed.report.cost).toMatchObject({ gradients: 2 * 3 * 5, forwards: 2 * 3 * 5 });
  });

  it('has gone on where it was', () => {
    expect(whole.epochs).toEqual(['one 1', 'one 2', 'one 3', 'two 1', 'two 2', 'two 3']);
    expect(resumed.epochs).toEqual(['two 1', 'two 2', 'two 3']);
    // The batch that was being attacked shows its clean images again.
    const left = whole.attacked.filter((line) => !/^one\/.*test-0,test-1/.test(line));
    expect(resumed.attacked).toEqual(left);
    expect(left.length).toBe(whole.attacked.length - 3);
  });

  it('says in each file what its rows belong to', () => {
    const files = readdirSync(join(output, 'cells')).sort();
    expect(files.map((file) => file.replace(/-[0-9a-f]{12}\.jsonl$/, ''))).toEqual([
      'one-clean',
      'one-targeted-ifgsm',
      'two-clean',
      'two-targeted-ifgsm',
    ]);
    const [first] = readFileSync(join(output, 'cells', files[1]!), 'utf8').split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      subject: 'one',
      eps: [1, 2],
      batch: 2,
      attack: [{ name: 'targeted-ifgsm' }],
    });
  });
});

describe('a run that has ended', () => {
  const output = temporaryFolder();
  let first: Watched;
  beforeAll(async () => {
    first = await watchRun(output);
  });

  it('does nothing a second time, and everything when told to start afresh', async () => {
    const second = await watchRun(output);
    expect(second.attacked).toEqual([]);
    expect(timeless(second.report)).toEqual(timeless(first.report));
    const fresh = await watchRun(output, { fresh: true });
    expect(fresh.attacked).toEqual(first.attacked);
    expect(fresh.report.rows).toEqual(first.report.rows);
  });

  it.each<[string, Config, ((hooks: Hooks) => void)?]>([
    ['other intensities', { eps: [1, 4] }],
    ['other options of the attack', { attacks: [{ use: 'targeted-ifgsm', stepSize: 2 }] }],
    ['another batch size', { batch: 1 }],
    ['another seed', { seed: 2 }],
    ['other weights', { training: { epochs: 2, batch: 2 } }],
    ['a metric that somebody wraps', {}, ({ metric }) => metric.for('dice').tap('half', (x) => x / 2)],
  ])('does not mistake %s for the same work', async (_what, more, tap) => {
    const { attacked } = await watchRun(output, { filter: 'one/targeted-ifgsm/1', ...more }, tap);
    expect(attacked.some((line) => line.startsWith('one/targeted-ifgsm/1'))).toBe(true);
  });
});
