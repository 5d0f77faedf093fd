import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { describe, expect, it } from 'vitest';
import { folderWith } from './core/config/folder.ts';
import { root } from './source.ts';

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { description: string; default: string }>>;
  readonly outputs: Readonly<Record<string, { description: string; value: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}

const text = readFileSync(join(root, 'action.yml'), 'utf8');
const action = defaultLoaders['.yaml']('action.yml', text) as Action;

/** Runs a step of the action with inputs, as a runner does, with a robust that says what it was given. */
function runStep(
  name: string,
  inputs: Record<string, string>,
  exitCode = 0,
  files: Record<string, string> = {},
) {
  const dir = folderWith({
    'core/cli/bin.js': `console.log(JSON.stringify(process.argv.slice(2))); process.exit(${exitCode});`,
    output: '',
    ...files,
  });
  const { run, env = {} } = action.runs.steps.find((step) => step.name === name)!;
  const given = Object.entries(env).map(([key, value]) => {
    const [, input] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(value) ?? [];
    return [
      key,
      input === undefined ? (inputs[key] ?? '') : (inputs[input] ?? action.inputs[input]!.default),
    ];
  });
  const surroundings = {
    PATH: process.env['PATH'],
    HOME: dir,
    GITHUB_ACTION_PATH: dir,
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: 'X64',
  };
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run!],
    {
      cwd: dir,
      encoding: 'utf8',
      env: { ...surroundings, ...Object.fromEntries(given), GITHUB_OUTPUT: join(dir, 'output') },
    },
  );
  expect(stderr).toBe('');
  const outputs = readFileSync(join(dir, 'output'), 'utf8').trim().split('\n');
  return { status, stdout, outputs };
}

const reporters = ['terminal', 'json', 'html', 'junit', 'github'].flatMap((name) => ['--reporter', name]);

describe('action.yml', () => {
  it('runs robust with what the workflow gave, whatever it holds', () => {
    const usual = runStep('Run', {});
    expect(JSON.parse(usual.stdout)).toEqual([
      ...['run', '--output', 'robust-run', '--backend', 'tensorflow'],
      ...reporters,
    ]);
    const { stdout } = runStep('Run', {
      ...{ config: 'a b.ts', output: '$(id)', backend: 'wasm', baseline: 'old report.json', strict: 'true' },
      arguments: '--limit 50  --set x=*',
    });
    expect(JSON.parse(stdout)).toEqual([
      ...['run', '--output', '$(id)', '--backend', 'wasm'],
      ...reporters,
      ...['--baseline', 'old report.json', '--strict', 'a b.ts', '--limit', '50', '--set', 'x=*'],
    ]);
  });

  it('caches what it builds by the versions of system, Node and package, with and without a lock file', () => {
    const key = (files: Record<string, string>) => {
      const { status, outputs } = runStep('Name the cache', {}, 0, files);
      expect(status).toBe(0);
      expect(outputs[0]).toMatch(new RegExp(`^key=robust-Linux-X64-${process.version}-[0-9a-f]{16}$`));
      return outputs[0];
    };
    const [installed, checkout, other] = [
      key({ 'package.json': '1' }),
      key({ 'package.json': '1', 'package-lock.json': '1' }),
      key({ 'package.json': '1', 'package-lock.json': '2' }),
    ];
    expect(new Set([installed, checkout, other]).size).toBe(3);
  });

  it.each([
    [0, 'pass'],
    [1, 'fail'],
    [2, 'error'],
    [3, 'inconclusive'],
    [130, 'error'],
  ])('calls exit code %d %s, lets the report be uploaded, and fails last', (code, verdict) => {
    const { status, outputs } = runStep('Run', {}, code);
    expect(status).toBe(0);
    expect(outputs).toEqual(
      expect.arrayContaining([
        `exit-code=${code}`,
        `verdict=${verdict}`,
        expect.stringMatching(/^report=.*\/robust-run\/report\.json$/),
      ]),
    );
    const gate = runStep('Gate', { CODE: String(code), VERDICT: verdict });
    expect(gate.status).toBe(code);
    expect(gate.stdout.startsWith('::error title=robust::')).toBe(verdict === 'error');
    const steps = action.runs.steps.map(({ name }) => name);
    expect(steps.at(-1)).toBe('Gate');
  });

  it('is documented', () => {
    const doc = readFileSync(join(root, 'docs/ci.md'), 'utf8');
    const rows = [...doc.matchAll(/^\| `.*$/gm)].map(([row]) => row.split('|').map((cell) => cell.trim()));
    const documented = rows.map((cells) => [cells[1], cells[3]].map((cell) => cell!.replaceAll('`', '')));
    const inputs = Object.entries(action.inputs).map(([name, input]) => [name, input.default]);
    expect(documented.slice(0, inputs.length)).toEqual(inputs);
    expect(documented.slice(inputs.length).map(([name]) => name)).toEqual(Object.keys(action.outputs));
  });
});
