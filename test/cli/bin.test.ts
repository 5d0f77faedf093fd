import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folderWith } from '../core/config/folder.ts';
import type { Ended } from './support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bin = join(root, 'core/cli/bin.js');

function start(file: string, argv: readonly string[] = []): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

const main = (greeting: string) => `
  export const processIo = (): string => '${greeting}';
  // Like a native engine, this keeps the process alive.
  setInterval(() => undefined, 1000);
  export async function main(argv: string[], io: string): Promise<number> {
    process.stdout.write(io + '\\n');
    return Number(argv[0] ?? 0);
  }`;

const options = {
  module: 'NodeNext',
  target: 'ES2023',
  lib: ['es5'],
  types: [],
  rootDir: '.',
  incremental: true,
};

/** A source checkout that holds nothing but the start of the program. */
function checkout(files: Readonly<Record<string, string>> = {}): { dir: string; file: string } {
  const dir = folderWith({
    'package.json': '{ "type": "module" }',
    'core/cli/main.ts': main('hello'),
    'tsconfig.build.json': JSON.stringify({ compilerOptions: options, include: ['core'] }),
    ...files,
  });
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  const file = join(dir, 'core/cli/bin.js');
  copyFileSync(bin, file);
  copyFileSync(join(root, 'core/cli/assets.js'), join(dir, 'core/cli/assets.js'));
  return { dir, file };
}

const building = 'robust: building dist (the sources are newer)\n';

test('a source checkout builds itself once, even at several starts at once', async () => {
  // A build that was killed left this behind; no process has this number.
  const { dir, file } = checkout({ '.robust/build.lock': '999999999', '.robust/dist-1/core.js': '' });
  const ended = await Promise.all([start(file), start(file), start(file)]);
  expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(Array(3).fill([0, 'hello\n']));
  expect(ended.map(({ stderr }) => stderr).join('')).toBe(building);
  expect(await start(file, ['3'])).toEqual({ code: 3, stdout: 'hello\n', stderr: '' });
  expect(readdirSync(join(dir, '.robust'))).toEqual([]);
});

test('what plugins bring beside TypeScript is built and copied too, at the first start alone', async () => {
  const page = '<html><head></head><body><script type="module">document.title = "x";</script></body></html>';
  const { dir, file } = checkout({
    'tsconfig.build.json': JSON.stringify({ compilerOptions: options, include: ['core', 'plugins'] }),
    'plugins/reporters/one/index.ts': 'export {};',
    'plugins/reporters/one/page/index.html': page,
    'plugins/backends/two/index.ts': 'export {};',
    'plugins/backends/two/kernel/add.cc': '// add',
  });
  expect(await start(file)).toEqual({ code: 0, stdout: 'hello\n', stderr: building });
  expect(readFileSync(join(dir, 'dist/plugins/reporters/one/page.html'), 'utf8')).toContain('document.title');
  expect(readFileSync(join(dir, 'dist/plugins/backends/two/kernel/add.cc'), 'utf8')).toBe('// add');
  expect(await start(file)).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
});

test('it builds again when a source is newer, once even if that lies in the future', async () => {
  const { dir, file } = checkout({
    'dist/.tsbuildinfo': '',
    'dist/core/cli/main.js': 'throw new Error("old")',
  });
  const future = Date.now() / 1000 + 3600;
  utimesSync(join(dir, 'core/cli/main.ts'), future, future);
  expect(await start(file)).toEqual({ code: 0, stdout: 'hello\n', stderr: building });
  expect(await start(file)).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
});

test('sources that do not compile are shown, and leave the last build alone', async () => {
  const { dir, file } = checkout({ 'core/cli/main.ts': 'export const = 1;', 'dist/core/cli/main.js': 'old' });
  const { code, stdout, stderr } = await start(file);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('robust: the sources do not compile\ncore/cli/main.ts(1,14): error TS1134');
  expect(readFileSync(join(dir, 'dist/core/cli/main.js'), 'utf8')).toBe('old');
});

test('an installed package is only imported', async () => {
  const { dir, file } = checkout({
    'dist/core/cli/main.js':
      "export const processIo = () => 0; export const main = async () => (console.log('hi'), 7);",
  });
  rmSync(join(dir, 'tsconfig.build.json'));
  expect(await start(file)).toEqual({ code: 7, stdout: 'hi\n', stderr: '' });
});

test('the program itself', { timeout: 180_000 }, async () => {
  const { code, stdout, stderr } = await start(bin, ['list', 'metric', '--json']);
  expect(stderr.replace(building, '')).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ kind: 'metric', name: 'dice' }));
  expect((await start(bin, ['run', 'preset:nope', '--json'])).code).toBe(2);
});
