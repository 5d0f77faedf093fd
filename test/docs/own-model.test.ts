import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Report } from '../../core/index.ts';
import { temporaryFolder } from '../../core/testing/context.ts';
import { project } from '../cli/project.ts';
import { robust } from '../cli/support.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/own-model.md', import.meta.url)), 'utf8');

/** The code blocks of the page in one language. */
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, code]) => code!);

/** Smaller than a reader's run. */
const quick = ['--backend', 'wasm', '--batch', '2', '--set', 'eps=[4]', '--set', 'dataset.size=32'];

const reportOf = (cwd: string) =>
  JSON.parse(readFileSync(join(cwd, 'runs/latest/report.json'), 'utf8')) as Report;

test('from the export to the gate are ten lines of code', () => {
  const [python, shell, configuration] = [blocks('python')[0]!, blocks('sh')[0]!, blocks('ts')[0]!];
  const lines = [python, shell, configuration]
    .join('')
    .split('\n')
    .filter((line) => line.trim() !== '');
  expect(lines.length).toBeLessThanOrEqual(13);
  expect(python).toContain('torch.onnx.export(');
});

/** A Python with torch and onnx, where the person says that there is one. */
const python = process.env['ROBUST_PYTHON'];

test.skipIf(python === undefined)('the lines of Python export a model that can be inspected', async () => {
  const cwd = temporaryFolder();
  const model = 'import torch\nmodel = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 3, padding=1))\n';
  execFileSync(python!, ['-c', model + blocks('python')[0]!], { cwd });
  const { code, stdout } = await robust(['inspect', 'model.onnx', '--gradcheck', '--backend', 'wasm'], {
    cwd,
  });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('256x256x3') as string });
});

test('the command works on an exported model and a folder', async () => {
  const cwd = await project('model.onnx');
  const [, command] = /npx robust (run .*)/.exec(blocks('sh')[0]!)!;
  const argv = [...command!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const { code } = await robust([...argv, ...quick], { cwd });
  expect(code).toBe(0);
  expect(reportOf(cwd).subjects).toMatchObject([{ name: 'model', model: 'onnx' }]);
});

test('the configuration works, and its gates decide the exit code', async () => {
  const cwd = await project('model.onnx');
  writeFileSync(join(cwd, 'robust.config.ts'), blocks('ts')[0]!);
  const { code } = await robust(['run', ...quick], { cwd });
  const { gates } = reportOf(cwd);
  expect(gates!.map(({ rule }) => rule)).toEqual(['dice >= 0.85 at clean', 'dice >= 0.6 at eps 4']);
  expect(code).toBe(gates!.some(({ verdict }) => verdict === 'fail') ? 1 : 0);
});

test('the function works as a black box', async () => {
  const cwd = await project('model.onnx');
  writeFileSync(join(cwd, 'predict.ts'), blocks('ts')[1]!);
  const subjects = /`(subjects: {.*})` names it/.exec(page)![1]!;
  const attacks = "attacks: ['random-noise']";
  const dataset =
    "dataset: { use: 'folder', root: '.', images: 'img/*.png', masks: 'mask/*.png', testFraction: 1 }";
  writeFileSync(join(cwd, 'robust.config.ts'), `export default { ${dataset}, ${subjects}, ${attacks} };`);
  const { code, stderr } = await robust(['run', ...quick], { cwd });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(reportOf(cwd).subjects[0]).toMatchObject({ name: 'mine', gradient: false });
  expect(stderr).toContain('only attacks that need none work');
  const white = await robust(['run', ...quick, '--set', 'attacks=["pgd"]'], { cwd });
  expect(white.code).toBe(2);
  expect(white.stderr).toContain('GRADIENT_MISSING');
});
