import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan, Report } from '../../core/index.ts';
import { folderWith } from '../core/config/folder.ts';
import { robust } from './support.ts';

/** Small enough that nothing here takes long. */
const config = `export default {
  dataset: { use: 'chest-phantom', size: 32, train: 4, test: 3 },
  subjects: { plain: { model: { use: 'unet', width: 0.02, depth: 1 } }, other: { model: { use: 'unet', width: 0.02, depth: 1 } } },
  training: { epochs: 1, batch: 2 },
  backend: 'wasm',
  batch: 2,
  eps: [1, 2],
};`;

const project = () => folderWith({ 'robust.config.mjs': config });

test('plan shows the cells and what they cost', async () => {
  const cwd = project();
  const { code, stdout } = await robust(['plan', '--filter', 'plain/'], { cwd });
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['cell', 'eps', 'alpha', 'N', 'shared', 'gradients per image'],
    ['plain/targeted-ifgsm/1', '1', '1', '2', '2', '2'],
    ['plain/targeted-ifgsm/2', '2', '1', '3', '3', '1'],
    [''],
    ['2 cells, 3 images, 9 gradients'],
    [''],
  ]);
  const apart = await robust(['plan', '--json', '--no-share', '--limit', '2'], { cwd });
  const plan = JSON.parse(apart.stdout) as Plan;
  expect(plan).toMatchObject({ images: 2, gradients: 2 * 2 * (2 + 3) });
  expect(existsSync(join(cwd, 'runs'))).toBe(false);
});

test('run prints the result on stdout and the talk on stderr', async () => {
  const cwd = project();
  const { code, stdout, stderr } = await robust(
    ['run', '--filter', 'plain/', '--output', 'out', '--seed', '5'],
    { cwd },
  );
  expect(code).toBe(0);
  expect(stdout).toContain('dice under targeted-ifgsm');
  expect(stderr).toMatch(/^train plain: epoch 1\/1, loss /m);
  expect(stderr).toMatch(/^targeted-ifgsm on plain: 3\/3 images, /m);
  const report = JSON.parse(readFileSync(join(cwd, 'out/report.json'), 'utf8')) as Report;
  expect(report).toMatchObject({
    status: 'complete',
    seed: 5,
    origins: { seed: '--seed', output: '--output' },
  });
});

test('run --json prints the report alone on stdout, --quiet no talk', async () => {
  const cwd = project();
  const argv = [
    'run',
    '--json',
    '--quiet',
    '--limit',
    '1',
    '--filter',
    'plain/',
    '--audit',
    '--reporter',
    'json',
  ];
  const { code, stdout, stderr } = await robust(argv, { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({
    schema: 'robust-report/1',
    dataset: { images: 1 },
    origins: { reporters: '--reporter', audit: '--audit' },
    configuration: { audit: 'full' },
  });
  expect(readFileSync(join(cwd, 'runs/latest/report.json'), 'utf8').length).toBeGreaterThan(100);
});

test('Ctrl-C ends a run with a valid partial report and 130', async () => {
  const cwd = project();
  let stderr = '';
  const write = (text: string) => {
    stderr += text;
    // As soon as the first subject has been attacked.
    if (text.startsWith('targeted-ifgsm on plain')) process.emit('SIGINT');
  };
  const { code, stdout } = await robust(['run', '--json'], { cwd, stderr: { write } });
  expect(code).toBe(130);
  expect(stderr).toContain('press Ctrl-C again');
  const report = JSON.parse(stdout) as Report;
  expect(report.status).toBe('interrupted');
  expect(report.subjects.map(({ name }) => name)).toEqual(['plain']);
  expect(process.listenerCount('SIGINT')).toBe(0);
});

test('Ctrl-C ends a training with 130', async () => {
  const cwd = project();
  const write = (text: string) => {
    if (text.startsWith('train plain')) process.emit('SIGINT');
  };
  const { code, stdout } = await robust(['train', '--set', 'training.epochs=50'], { cwd, stderr: { write } });
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
});

test('train --only trains one subject and stores its weights', async () => {
  const cwd = project();
  const { code, stdout } = await robust(
    ['train', '--only', 'other', '--set', 'subjects.other.weights=w', '--json'],
    { cwd },
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([
    { name: 'other', model: 'unet', parameters: expect.any(Number) as number },
  ]);
  expect(existsSync(join(cwd, 'w/model.json'))).toBe(true);
});

test('errors of the run reach the person with their code', async () => {
  const cwd = project();
  const { code, stdout, stderr } = await robust(['run', '--filter', 'nothing', '--json'], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr.trim().split('\n').at(-1)!)).toMatchObject({ error: { code: 'FILTER_EMPTY' } });
});
