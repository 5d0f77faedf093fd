import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import prettier from 'prettier';
import ts from 'typescript';
import tseslint from 'typescript-eslint';
import { expect, test } from 'vitest';
import { Registry, kinds, type Kind } from '../../core/index.ts';
import * as testing from '../../core/testing/index.ts';
import { folderWith } from '../core/config/folder.ts';
import { robust } from './support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A project that has this package's dependencies, with one new plugin of each kind. */
async function project(): Promise<string> {
  const cwd = folderWith({ 'package.json': '{ "type": "module" }' });
  symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'));
  for (const kind of kinds) {
    const { code, stdout } = await robust(['new', kind, `my-${kind}`, '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ files: [`my-${kind}.ts`, `my-${kind}.test.ts`] });
  }
  return cwd;
}

test('new plugins of every kind pass their contract', async () => {
  const cwd = await project();
  const registry = new Registry({ bundledPlugins: new URL('../../plugins/', import.meta.url), baseDir: cwd });
  for (const kind of kinds) {
    const plugin = await registry.resolve(kind, `./my-${kind}.ts`);
    expect(plugin.name).toBe(`my-${kind}`);
    const checks = checksOf(kind)(plugin as never);
    expect(checks.length).toBeGreaterThan(8);
    expect(await testing.failures(checks)).toEqual([]);
    expect(readFileSync(join(cwd, `my-${kind}.test.ts`), 'utf8')).toContain(`${kind}Contract(plugin);`);
    expect(testing).toHaveProperty(`${kind}Contract`);
  }
});

function checksOf(kind: Kind) {
  return {
    attack: testing.attackChecks,
    backend: testing.backendChecks,
    dataset: testing.datasetChecks,
    defense: testing.defenseChecks,
    metric: testing.metricChecks,
    model: testing.modelChecks,
    reporter: testing.reporterChecks,
  }[kind];
}

test('new plugins pass types, lint and format', async () => {
  const cwd = await project();
  const files = kinds
    .flatMap((kind) => [`my-${kind}.ts`, `my-${kind}.test.ts`])
    .map((file) => join(cwd, file));
  expect(typeErrors(files)).toEqual([]);
  const eslint = new ESLint({
    cwd,
    overrideConfigFile: true,
    overrideConfig: tseslint.configs.strict as never,
  });
  const results = await eslint.lintFiles(files);
  expect(results.flatMap(({ messages }) => messages)).toEqual([]);
  const style = (await prettier.resolveConfig(join(root, 'package.json')))!;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    expect(await prettier.format(text, { ...style, filepath: file })).toBe(text);
  }
});

function typeErrors(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      typeRoots: [join(root, 'node_modules/@types')],
      paths: {
        robust: [join(root, 'core/index.ts')],
        'robust/testing': [join(root, 'core/testing/index.ts')],
      },
    },
    root,
  );
  const program = ts.createProgram([...files], options);
  const own = files.map((file) => program.getSourceFile(file));
  expect(own.every((file) => file !== undefined)).toBe(true);
  const found = own.flatMap((file) => [
    ...program.getSemanticDiagnostics(file),
    ...program.getSyntacticDiagnostics(file),
  ]);
  return found.map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}

test('a folder inside the working directory', async () => {
  const cwd = folderWith();
  const { stdout, stderr } = await robust(['new', 'metric', 'hits', '--dir', 'plugins/mine'], { cwd });
  expect(stdout).toBe('plugins/mine/hits.ts\nplugins/mine/hits.test.ts\n');
  expect(stderr).toContain("'./plugins/mine/hits.ts'");
  expect(existsSync(join(cwd, 'plugins/mine/hits.test.ts'))).toBe(true);
});

test.each([['hits.ts'], ['hits.test.ts']])('%s is not overwritten', async (file) => {
  const cwd = folderWith({ [file]: 'mine' });
  const { code, stderr } = await robust(['new', 'metric', 'hits', '--json'], { cwd });
  expect(code).toBe(2);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'FILE_EXISTS', where: join(cwd, file) } });
  expect(readFileSync(join(cwd, file), 'utf8')).toBe('mine');
  const other = file === 'hits.ts' ? 'hits.test.ts' : 'hits.ts';
  expect(existsSync(join(cwd, other))).toBe(false);
});

test.each([
  ['Hits', '.'],
  ['../hits', '.'],
  ['a/b', '.'],
  ['-x', '.'],
  ['my_hits', '.'],
  ['1up', '.'],
  ['hits', '..'],
  ['hits', '../elsewhere'],
  ['hits', '/'],
])('new metric %s --dir %s is refused', async (name, dir) => {
  const cwd = folderWith();
  writeFileSync(join(cwd, 'before'), '');
  const { code, stdout, stderr } = await robust(['new', 'metric', '--dir', dir, '--json', '--', name], {
    cwd,
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE' } });
});
