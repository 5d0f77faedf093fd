import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InstallError } from '../../../plugins/backends/tensorflow/errors.ts';
import type { Host } from '../../../plugins/backends/tensorflow/host.ts';
import { installLibrary, type InstallOptions } from '../../../plugins/backends/tensorflow/install.ts';
import {
  fakeMachine,
  hash,
  node,
  python,
  tree,
  WHEEL_FILES,
  writeWheel,
  zip,
  type FakeMachine,
} from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(() => void (machine = fakeMachine()));
afterEach(() => machine.clean());

/** The failure of an install, which must have left nothing in the cache. */
async function failure(options: InstallOptions = {}): Promise<InstallError> {
  const error = await installLibrary({ host: machine.host, ...options }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InstallError);
  expect(tree(machine.cache)).toEqual([]);
  expect((error as InstallError).advice).not.toBe('');
  return error as InstallError;
}

describe('a failed install says what is wrong and leaves nothing', () => {
  it('without Python', async () => {
    machine.script('python3', undefined);
    const error = await failure();
    expect(error).toMatchObject({ code: 'BACKEND_NO_PIP' });
    expect(error.message).toContain('python3 is not on PATH; python is not on PATH');
    expect(error.advice).toContain('apt install python3-pip');
  });

  it('without pip', async () => {
    machine.script('python3', python({ version: 'echo "No module named pip" >&2; exit 1' }));
    const error = await failure();
    expect(error).toMatchObject({ code: 'BACKEND_NO_PIP' });
    expect(error.message).toContain('python3 has no pip (No module named pip)');
  });

  it.each([
    [
      'network',
      'NewConnectionError: Temporary failure in name resolution\nERROR: No matching distribution found',
      'BACKEND_NO_NETWORK',
      'cannot be reached',
    ],
    [
      'wheel',
      'ERROR: No matching distribution found for tensorflow-cpu==2.21.0',
      'BACKEND_NO_WHEEL',
      'has no such wheel',
    ],
    ['known reason', 'something else', 'BACKEND_NO_WHEEL', 'exit code 1'],
  ])('without a %s', async (_what, stderr, code, message) => {
    machine.script('python3', python({ report: `echo '${stderr}' >&2; exit 1` }));
    const error = await failure();
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.message).toContain('tensorflow-cpu==2.21.0');
  });

  it('when the download is interrupted', async () => {
    const broken =
      'mkdir -p "$folder"; echo part > "$folder/part.whl"; echo "IncompleteRead(99 bytes read)" >&2; exit 2';
    machine.script('python3', python({ download: broken }));
    expect(await failure()).toMatchObject({ code: 'BACKEND_DOWNLOAD_INTERRUPTED' });
  });

  it('when the file is not the one that the index lists', async () => {
    const content = zip(WHEEL_FILES);
    writeWheel(machine.folder, content, 'a'.repeat(64));
    const error = await failure();
    expect(error.code).toBe('BACKEND_WRONG_HASH');
    expect(error.message).toContain(`expected ${'a'.repeat(64)}, received ${hash(content)}`);
  });

  it('when the index gives no hash', async () => {
    writeWheel(machine.folder, zip(WHEEL_FILES), '');
    expect((await failure()).message).toContain('expected none given');
  });

  it.each([
    ['is no zip file', () => Buffer.from('not a zip file, though its hash is right'), 'damaged or cut short'],
    ['lacks the library', () => zip({ 'tensorflow/other': '' }), 'libtensorflow_cc.so.2 is not in it'],
  ])('when the wheel %s', async (_what, content, message) => {
    writeWheel(machine.folder, content());
    const error = await failure();
    expect(error.code).toBe('BACKEND_BAD_WHEEL');
    expect(error.message).toContain(message);
  });

  it('when the disk is nearly full, before anything is downloaded', async () => {
    const error = await failure({ host: { ...machine.host, freeBytes: () => Promise.resolve(3e8) } });
    expect(error.code).toBe('BACKEND_DISK_FULL');
    expect(error.message).toContain('1.8 GB are needed while installing, 0.3 GB are free');
    expect(error.advice).toContain('ROBUST_CACHE');
    expect(machine.calls()).toEqual([]);
  });

  it.each([
    [
      'pip',
      'python3',
      python({ download: 'echo "OSError: [Errno 28] No space left on device" >&2; exit 1' }),
    ],
    ['the compiler', 'g++', 'echo "fatal error: error writing: No space left on device" >&2; exit 1'],
    ['strip', 'strip', 'echo "strip: No space left on device" >&2; exit 1'],
  ])('when %s fills the disk', async (_what, name, body) => {
    machine.script(name, body);
    expect(await failure()).toMatchObject({ code: 'BACKEND_DISK_FULL' });
  });

  it('without a compiler', async () => {
    machine.script('g++', undefined);
    const error = await failure();
    expect(error.code).toBe('BACKEND_NO_COMPILER');
    expect(error.message).toContain('looked for g++, clang++, c++ on PATH');
    expect(error.advice).toContain('apt install g++');
  });

  it('when the compiler fails, with its first errors', async () => {
    machine.script('g++', 'echo "note: x" >&2; echo "a.cc:1: error: no member" >&2; exit 1');
    const error = await failure();
    expect(error.code).toBe('BACKEND_COMPILE_FAILED');
    expect(error.message).toMatch(/exit code 1\):\na\.cc:1: error: no member$/);
  });

  it('when the numbers are wrong', async () => {
    machine.script('node', node(false));
    const error = await failure();
    expect(error.code).toBe('BACKEND_SELF_TEST_FAILED');
    expect(error.message).toContain('conv2d differs by 0.5 (allowed: 1e-4)');
  });

  it('when the processor lacks instructions', async () => {
    machine.script('node', 'kill -ILL $$');
    expect(await failure()).toMatchObject({
      code: 'BACKEND_SELF_TEST_FAILED',
      advice: expect.stringContaining('AVX'),
    });
  });

  it('when it is interrupted', async () => {
    machine.script('python3', python({ download: 'mkdir -p "$folder"; echo part > "$folder/x"; sleep 30' }));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const started = Date.now();
    expect(await failure({ signal: controller.signal })).toMatchObject({ code: 'BACKEND_ABORTED' });
    expect(Date.now() - started).toBeLessThan(2500);
  });

  it('when the cache cannot be written', async () => {
    const file = join(machine.folder, 'file');
    writeFileSync(file, '');
    const host = { ...machine.host, env: { ...machine.host.env, ROBUST_CACHE: join(file, 'cache') } };
    const error = await failure({ host });
    expect(error.code).toBe('BACKEND_CACHE_NOT_WRITABLE');
    expect(error.message).toContain(join(file, 'cache'));
  });

  const systems: [string, Partial<Host>, boolean, string][] = [
    ['musl', { musl: true }, false, 'BACKEND_MUSL'],
    ['Windows', { platform: 'win32' }, false, 'BACKEND_UNSUPPORTED_SYSTEM'],
    ['an Intel Mac', { platform: 'darwin' }, false, 'BACKEND_UNSUPPORTED_SYSTEM'],
    ['another processor', { arch: 'riscv64' }, false, 'BACKEND_UNSUPPORTED_SYSTEM'],
    ['--gpu on arm64', { arch: 'arm64' }, true, 'BACKEND_UNSUPPORTED_SYSTEM'],
  ];
  it.each(systems)('on %s', async (_what, system, gpu, code) => {
    const error = await failure({ gpu, host: { ...machine.host, ...system } });
    expect(error.code).toBe(code);
    expect(error.advice).toContain('--backend wasm');
    expect(machine.calls()).toEqual([]);
  });
});
