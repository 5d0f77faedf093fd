import { expect, test } from 'vitest';
import { robust } from '../../cli/support.ts';
import { folderWith } from './folder.ts';
import { failure, load } from './support.ts';

const target = 'preset:scaled';

test('a preset stays as it is unless a variant is asked for', async () => {
  const { value, withoutData } = await load(folderWith(), { target });
  expect(value).toMatchObject({ eps: [1, 2, 3], variants: [], dataset: { use: 'folder', size: 32 } });
  expect(withoutData).toBeUndefined();
});

test.each([
  [['small'], { eps: [1], dataset: { use: 'folder', root: './data', size: 16 } }],
  [['phantom'], { eps: [1, 2, 3], dataset: { use: 'chest-phantom', size: 64 } }],
  [['phantom', 'small'], { eps: [1], dataset: { use: 'chest-phantom', size: 16 } }],
])('variants %j lie over it, those of several names over those of one', async (variants, expected) => {
  const { value, origins } = await load(folderWith(), { target, flags: { variants } });
  expect(value).toMatchObject({ ...expected, variants, training: { epochs: 3 } });
  expect(origins['dataset.size']).toBe(`preset:scaled (${variants.toSorted().reverse().join(' + ')})`);
});

test('a file chooses variants of the preset that it extends, and has the last word', async () => {
  const config = '{ "extends": "preset:scaled", "variants": ["small"], "seed": 3, "eps": [9] }';
  const { value } = await load(folderWith({ 'robust.config.json': config }));
  expect(value).toMatchObject({ eps: [9], dataset: { size: 16 }, variants: ['small'] });
});

test('a variant that names the data set says what works without the data, as its preset does', async () => {
  const { withoutData } = await load(folderWith(), { target, flags: { variants: ['small'] } });
  expect(withoutData).toBe('or use generated images: --phantom');
});

test('an unknown variant is an error that lists those that exist', async () => {
  const error = await failure(load(folderWith(), { target, flags: { variants: ['smal'] } }));
  expect(error).toMatchObject({
    code: 'USAGE',
    parts: { expected: 'some of small, phantom', next: expect.stringContaining('small') as string },
  });
  await expect(
    failure(load(folderWith(), { target: 'preset:tiny', flags: { variants: ['small'] } })),
  ).resolves.toMatchObject({ code: 'USAGE', parts: { expected: 'none: only presets can have variants' } });
});

test.each([
  ['--scale small --phantom', ['small', 'phantom'], 'chest-phantom'],
  ['--phantom', ['phantom'], 'chest-phantom'],
  ['--scale paper', [], 'jsrt'],
])('the command line has %s', async (flags, variants, dataset) => {
  const argv = ['plan', 'preset:jsrt-comparison', '--print-config', '--json', ...flags.split(' ')];
  const { value } = JSON.parse((await robust(argv)).stdout) as { value: Record<string, unknown> };
  expect(value).toMatchObject({ variants, dataset: { use: dataset } });
});

test('who lacks the data set is told its terms and what works without it', async () => {
  const cwd = folderWith();
  const { code, stderr } = await robust(['plan', 'preset:jsrt-comparison', '--backend', 'wasm'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toMatch(/DATASET_EMPTY[^]*next:.*--scale small --phantom/);
});
