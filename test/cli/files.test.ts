import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Report } from '../../core/index.ts';
import { fromFiles } from '../../core/cli/files.ts';
import { temporaryFolder } from '../../core/testing/context.ts';
import { robust } from './support.ts';

/** A folder with an exported U-Net, and images of a bright square with their masks. */
async function project(): Promise<string> {
  const cwd = temporaryFolder();
  const fixture = fileURLToPath(new URL('../../fixtures/onnx/unet.dynamo.onnx', import.meta.url));
  cpSync(fixture, join(cwd, 'my model.v2.onnx'));
  for (const folder of ['img', 'mask']) mkdirSync(join(cwd, folder));
  const inside = (at: number) => at % 32 >= 8 && at % 32 < 24 && at >= 32 * 10 && at < 32 * 20;
  const raw = (channels: 1 | 3) => ({ raw: { width: 32, height: 32, channels } });
  for (const id of ['a', 'b']) {
    const image = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) =>
      inside(Math.floor(i / 3)) ? 180 : (i * 7) % 90,
    );
    const mask = Uint8Array.from({ length: 32 * 32 }, (_, i) => (inside(i) ? 255 : 0));
    await sharp(image, raw(3)).toFile(join(cwd, `img/${id}.png`));
    await sharp(mask, raw(1)).toFile(join(cwd, `mask/${id}.png`));
  }
  return cwd;
}

test('run tests a model file on images and masks with nothing else written', async () => {
  const cwd = await project();
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
