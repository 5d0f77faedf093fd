import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Report } from '../../core/index.ts';
import { fromFiles } from '../../core/cli/files.ts';
import { temporaryFolder } from '../../core/testing/context.ts';
import { project } from './project.ts';
import { robust } from './support.ts';

test('run tests a model file on images and masks with nothing else written', async () => {
  const cwd = await project('my model.v2.onnx');
  const argv = ['run', '--model', 'my model.v2.onnx', '--images', 'img/*.png', '--masks', 'mask/*.png'];
  const more = ['--backend', 'wasm', '--batch', '2', '--set', 'eps=[1,8]', '--set', 'dataset.size=32'];
  const { code, stdout, stderr } = await robust([...argv, ...more], { cwd });
  expect({ code, stderr: stderr.includes('images from 0 to 1 are assumed') }).toEqual({
    code: 0,
    stderr: true,
  });
  expect(stdout).toContain('my-model-v2');
  const report = JSON.parse(readFileSync(join(cwd, 'runs/latest/report.json'), 'utf8')) as Report;
  expect(report.dataset.images).toBe(2);
  const notes = expect.arrayContaining([
    expect.stringContaining('images from 0 to 1 are assumed'),
  ]) as string[];
  expect(report.subjects).toMatchObject([{ name: 'my-model-v2', model: 'onnx', notes }]);
  expect(stdout).toContain('note: my-model-v2: ');
  const losses = report.rows.map(({ eps, linf }) => [eps, linf]);
  expect(losses).toEqual(expect.arrayContaining([[8, 8]]));
});

test('a folder is opened by the plugin that knows what lies in it', async () => {
  const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));
  const model = ['savedmodel/first', 'savedmodel/keras3/saved_model.pb'];
  const target = await fromFiles({ cwd: fixtures }, undefined, { model });
  const use = (path: string) => ({ model: { use: 'savedmodel', path: join(fixtures, path) } });
  expect(target).toEqual({ subjects: { first: use(model[0]!), saved_model: use(model[1]!) } });
});

test.each([
  ['scan/*.nii.gz', 'seg/*.nii.gz', 'nifti', 'scan/*.nii.gz'],
  ['ct/*/', 'seg/*.nrrd', 'dicom', 'ct/*/'],
  ['film/*.DCM', 'film/*.png', 'dicom', '*.DCM'],
  ['img/*.tif', 'mask/*.png', 'folder', 'img/*.tif'],
])('images called %s are opened by the data set for them', async (images, masks, use, pattern) => {
  const target = await fromFiles({ cwd: '/data' }, undefined, { images, masks });
  expect(target).toMatchObject({ dataset: { use, images: pattern } });
});

test.each([
  [['--model', 'model.pt'], 'No plugin opens files with this ending.'],
  [['--model', 'my model.v2.onnx', '--images', 'img/*.png'], 'Images and masks belong together.'],
])('run %j is a usage error', async (argv, message) => {
  const { code, stderr } = await robust(['run', ...argv, '--json'], { cwd: temporaryFolder() });
  expect(code).toBe(2);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE', message } });
});
