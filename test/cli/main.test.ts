import { expect, test } from 'vitest';
import { kinds } from '../../core/index.ts';
import { folderWith } from '../core/config/folder.ts';
import { robust } from './support.ts';

const json = '{ "dataset": "chest-phantom", "subjects": { "plain": { "model": "unet" } } }';

test('--version and --help are results', async () => {
  expect(await robust(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' });
  const { code, stdout, stderr } = await robust(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const name of ['run', 'train', 'plan', 'list', 'new', 'doctor', 'schema']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect((await robust([name, '--help'])).stdout).toContain(`Usage: robust ${name}`);
  }
});

test.each([
  [['rnu'], "unknown command 'rnu'", 'Did you mean run?'],
  [['run', '--seeed', '1'], "unknown option '--seeed'", 'Did you mean --seed?'],
  [['new'], "missing required argument 'kind'", 'robust --help'],
  [['list', 'atack'], "There is no kind of plugin called 'atack'", "did you mean 'attack'?"],
  [['new', 'atack', 'x'], "There is no kind of plugin called 'atack'", "did you mean 'attack'?"],
  [['train', 'preset:quickstart', '--only', 'unte'], "There is no subject 'unte'", "did you mean 'unet'?"],
  [['run', 'preset:quickstart', '--set', 'seed'], 'This is not a setting', ''],
])('%j is a mistake of usage', async (argv, message, next) => {
  const text = await robust(argv);
  expect(text).toMatchObject({ code: 2, stdout: '' });
  expect(text.stderr).toContain(`error USAGE ${message}`);
  expect(text.stderr).toContain(next);
  const data = await robust([...argv, '--json']);
  expect(data).toMatchObject({ code: 2, stdout: '' });
  expect(JSON.parse(data.stderr)).toMatchObject({ error: { code: 'USAGE' } });
});

test('no command at all shows the help and fails', async () => {
  const { code, stderr } = await robust([]);
  expect(code).toBe(2);
  expect(stderr).toContain('robust --help');
});

test('a configuration that is wrong', async () => {
  const cwd = folderWith({ 'robust.config.json': json });
  const { code, stderr } = await robust(['plan', '--seed', 'x', '--print-config', '--json'], { cwd });
  expect(code).toBe(2);
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: 'CONFIG_INVALID',
      message: "'seed' does not fit.",
      where: 'seed (--seed)',
      expected: 'a whole number',
      received: "'x'",
    },
  });
});

test('an error that nobody foresaw shows its stack and asks for a report', async () => {
  const cwd = folderWith({ 'robust.config.json': json });
  const stdout = {
    write: () => {
      throw new TypeError('the pipe burst');
    },
  };
  const { code, stderr } = await robust(['plan', '--print-config'], { cwd, stdout });
  expect(code).toBe(2);
  expect(stderr).toContain('TypeError: the pipe burst\n    at ');
  expect(stderr).toContain('please report it');
  const data = await robust(['plan', '--print-config', '--json'], { cwd, stdout });
  expect(JSON.parse(data.stderr)).toMatchObject({ error: { code: 'UNEXPECTED' } });
});

test.each([
  [{}, false, false],
  [{}, true, true],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  [{ TERM: 'dumb' }, true, false],
])('colour with %j, terminal %j: %j', async (env, isTTY, colour) => {
  let stderr = '';
  await robust(['rnu'], { env, stderr: { write: (text) => (stderr += text), isTTY } });
  expect(stderr.includes('\u001b[31m')).toBe(colour);
});

test('list', async () => {
  const { code, stdout } = await robust(['list', '--json']);
  expect(code).toBe(0);
  const entries = JSON.parse(stdout) as { kind: string; name: string; summary: string }[];
  expect(entries).toContainEqual({
    kind: 'metric',
    name: 'dice',
    summary: expect.stringContaining('Dice') as string,
  });
  expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set([...kinds, 'preset']));
  const metrics = JSON.parse((await robust(['list', 'metric', '--json'])).stdout) as typeof entries;
  expect(metrics).toEqual(entries.filter(({ kind }) => kind === 'metric'));
  const presets = (await robust(['list', 'preset'])).stdout;
  expect(presets).toMatch(/^preset {2}\S+ +\S/);
  expect(presets).toContain('quickstart');
});

test('list explains one plugin from its schema', async () => {
  const { stdout } = await robust(['list', 'attack', 'targeted-ifgsm']);
  expect(stdout).toBe(`targeted-ifgsm (attack)
Targeted iterative FGSM towards the inverse mask, as in the NLCEN paper (equation 6).

Options
  stepSize: a number, greater than 0 (default 1)
      Step length alpha in intensity units.
  steps: a whole number, at least 1, or null (default null)
      Gradient steps at every eps; null takes ceil(min(eps + 4, 1.25 eps)), eps counted in steps.

References
  He et al., Non-Local Context Encoder, AAAI 2019, equation 6
  Kurakin et al., Adversarial Examples in the Physical World, ICLR 2017
`);
  const data = JSON.parse((await robust(['list', 'attack', 'targeted-ifgsm', '--json'])).stdout) as object;
  expect(data).toMatchObject({
    name: 'targeted-ifgsm',
    options: { properties: { stepSize: { default: 1 } } },
  });
});

test('list explains a file, and knows no other', async () => {
  const cwd = folderWith();
  await robust(['new', 'metric', 'my-metric'], { cwd });
  expect((await robust(['list', 'metric', './my-metric.ts'], { cwd })).stdout).toContain(
    'my-metric (metric)',
  );
  const { code, stderr } = await robust(['list', 'attack', './my-metric.ts'], { cwd });
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PLUGIN_INVALID') as string,
  });
});

test('plan --print-config shows every value and where it came from', async () => {
  const cwd = folderWith({ 'robust.config.json': json });
  const argv = ['plan', '--print-config', '--set', 'attacks.0.stepSize=2', '--no-share', '--limit', '3'];
  const { stdout } = await robust(argv, { cwd, env: { ROBUST_TRAINING__FLIPS: 'true' } });
  const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(lines).toEqual(
    expect.arrayContaining([
      ['setting', 'value', 'from'],
      ['dataset', '"chest-phantom"', 'robust.config.json'],
      ['attacks.0.use', '"targeted-ifgsm"', 'default'],
      ['attacks.0.stepSize', '2', '--set'],
      ['share', 'false', '--no-share'],
      ['limit', '3', '--limit'],
      ['training.flips', 'true', 'ROBUST_TRAINING__FLIPS'],
      ['metrics', '["dice", "jaccard"]', 'default'],
    ]),
  );
  const data = JSON.parse((await robust([...argv, '--json'], { cwd })).stdout) as object;
  expect(data).toMatchObject({ value: { share: false }, origins: { share: '--no-share' } });
});

test('schema prints a JSON Schema', async () => {
  const { code, stdout } = await robust(['schema']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    properties: { seed: { type: 'integer', default: 1 } },
    required: ['dataset', 'subjects'],
  });
});

test('doctor looks at machine, backends, cache and configuration', async () => {
  const cwd = folderWith({ 'robust.config.json': json });
  const { code, stdout } = await robust(['doctor', '--json'], { cwd, env: { ROBUST_CACHE: `${cwd}/cache` } });
  const { ok, findings } = JSON.parse(stdout) as {
    ok: boolean;
    findings: { check: string; ok: boolean; detail: string }[];
  };
  expect(code).toBe(ok ? 0 : 2);
  expect(ok).toBe(findings.some((finding) => finding.check.startsWith('backend ') && finding.ok));
  const byCheck = Object.fromEntries(findings.map(({ check, detail }) => [check, detail]));
  expect(byCheck).toMatchObject({
    node: process.versions.node,
    'backend wasm': expect.stringMatching(/threads; self-test passed; \d+ kernels missing$/) as string,
    auto: expect.stringMatching(/^takes the backend (tensorflow|wasm)$/) as string,
    cache: `${cwd}/cache`,
    configuration: `${cwd}/robust.config.json`,
  });
  expect((await robust(['doctor'], { cwd })).stdout).toMatch(/^ok {2}robust +0\.1\.0$/m);
});

test('doctor survives a configuration that throws', async () => {
  const cwd = folderWith({ 'robust.config.mjs': 'throw new Error("boom")' });
  expect((await robust(['doctor'], { cwd })).stdout).toMatch(/^no {2}configuration +.*boom/m);
});
