import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../core/testing/index.ts';
import { robust } from './support.ts';

const small = ['--set', 'width=0.0625', '--size', '32x64', '--backend', 'cpu'];

test('inspect shows layers, totals and taps within 80 columns', async () => {
  const { code, stdout } = await robust(['inspect', 'nlcen', ...small, '--defense', 'nlce']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^layer +type +output +parameters +MMAC$/m);
  expect(stdout).toMatch(/^conv1 +Conv2D +16x32x4 +196 +0.100$/m);
  expect(stdout).toMatch(/^nlcen for images of 32x64x1: 0\.\d+ GMAC$/m);
  expect(stdout).toMatch(/^parameters: [\d,]+ trainable, [\d,]+ fixed$/m);
  expect(stdout).toContain('taps: conv2 8x16x4, conv3 4x8x8, conv4 2x4x16, conv5 1x2x32');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('inspect --json', async () => {
  const { stdout } = await robust([
    'inspect',
    'unet',
    ...small,
    '--channels',
    '3',
    '--classes',
    '4',
    '--json',
  ]);
  const data = JSON.parse(stdout) as Record<string, unknown>;
  expect(data).toMatchObject({
    model: 'unet',
    image: [32, 64, 3],
    outputs: [{ type: 'float32', shape: [null, 32, 64, 4] }],
  });
  expect(data['taps']).toEqual([{ name: 'bottleneck', shape: [2, 4, 64] }]);
});

test.each([
  [['unet', '--size', 'large'], '--size', 'large'],
  [['unet', '--channels', '0'], '--channels', '0'],
  [['prior', '--backend', 'cpu'], 'inspect', "'prior' does not tell"],
])('inspect %j is a mistake of usage', async (argv, where, received) => {
  const { code, stderr } = await robust(['inspect', ...argv]);
  expect(code).toBe(2);
  expect(stderr).toContain('USAGE');
  expect(stderr).toContain(where);
  expect(stderr).toContain(received);
});

test('a model that is no network describes itself', async () => {
  const cwd = temporaryFolder();
  const code = `import { defineModel } from 'robust';
    export default defineModel({ name: 'told', summary: 'Tells.', options: {}, open: () => { throw new Error(); },
      inspect: async ({ height, width }) => ({ layers: [{ name: 'a', type: 'Conv', output: [height, null, 2],
        trainable: 0, fixed: 1234, multiplyAccumulates: null }], taps: [],
        outputs: [{ name: 'y', type: 'float', shape: [height, width, 2] }] }) });`;
  await writeFile(join(cwd, 'told.ts'), code);
  const { stdout } = await robust(['inspect', './told.ts', '--size', '8', '--backend', 'cpu'], { cwd });
  expect(stdout).toMatch(/^a +Conv +8x\?x2 +1,234 +\?$/m);
  expect(stdout).toContain('at least 0');
  expect(stdout).toContain('taps: none');
});
