import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installLibrary, type InstallOptions } from '../../../plugins/backends/tensorflow/install.ts';
import { locate, remove } from '../../../plugins/backends/tensorflow/library.ts';
import { fakeMachine, hash, python, tree, WHEEL, WHEEL_FILES, type FakeMachine } from './fake-machine.ts';

const KEY = 'tf2.21.0-node4.22.0-cpu-linux-x64-napi8-3';

let machine: FakeMachine;
beforeEach(() => void (machine = fakeMachine()));
afterEach(() => machine.clean());

const install = (options: InstallOptions = {}) => installLibrary({ host: machine.host, ...options });

describe('an install', () => {
  it('takes what is needed out of the wheel, and nothing else', async () => {
    const { library, alreadyInstalled, selfTest } = await install();
    expect(alreadyInstalled).toBe(false);
    expect(selfTest?.info).toMatchObject({ version: '2.21.0', addon: library.addon });
    expect(library.folder).toBe(join(machine.cache, 'backends/tensorflow', KEY));
    const files = tree(library.folder).filter((path) => path.includes('.'));
    const headers = ['session.h', 'tensorflow/c/c_api.h', 'tensorflow/c/tf_status.h'];
    const libraries = ['so', 'so.2'].map((end) => `deps/lib/libtensorflow_framework.${end}`);
    const cc = ['deps/lib/libtensorflow.so', 'deps/lib/libtensorflow_cc.so.2'];
    expect(files).toEqual([
      ...cc,
      ...libraries,
      ...headers.map((header) => `include/${header}`),
      'lib/napi-v8/tfjs_binding.node',
      'manifest.json',
    ]);
    expect(readlinkSync(join(library.folder, 'deps/lib/libtensorflow.so'))).toBe('libtensorflow_cc.so.2');
    const content = readFileSync(join(library.folder, 'deps/lib/libtensorflow_cc.so.2'), 'utf8');
    expect(content).toBe(WHEEL_FILES['tensorflow/libtensorflow_cc.so.2']);
    expect(tree(join(machine.cache, 'backends/tensorflow')).filter((path) => path.startsWith('.'))).toEqual(
      [],
    );
  });

  it('records where it comes from, and the hash that was checked', async () => {
    const { manifest } = (await install()).library;
    expect(manifest).toMatchObject({ source: WHEEL, device: 'cpu', tensorflow: '2.21.0', napi: 8 });
    expect(manifest?.sha256[WHEEL]).toBe(hash(readFileSync(join(machine.folder, WHEEL))));
  });

  it('asks pip for a wheel of this system whatever the local Python is', async () => {
    await install();
    const download = machine.calls().find((line) => line.includes(' download '));
    expect(download).toContain('--only-binary=:all: --no-deps --python-version 312');
    expect(download).toContain('--platform manylinux_2_27_x86_64');
    expect(download).toMatch(/ tensorflow-cpu==2\.21\.0$/);
  });

  it('does nothing the second time, and is quick', async () => {
    await install();
    const before = machine.calls().length;
    const again = await install();
    expect(again).toMatchObject({ alreadyInstalled: true, library: { origin: 'cache' } });
    expect(again.seconds).toBeLessThan(0.1);
    expect(machine.calls()).toHaveLength(before);
  });

  it('made twice at once downloads once', async () => {
    machine.script(
      'python3',
      python({ download: 'sleep 0.3; mkdir -p "$folder"; cp "$FAKE"/*.whl "$folder"' }),
    );
    const lines: string[] = [];
    const both = await Promise.all([
      install({ log: (line) => lines.push(line) }),
      install({ log: (line) => lines.push(line) }),
    ]);
    expect(both.map((result) => result.alreadyInstalled).sort()).toEqual([false, true]);
    expect(machine.calls().filter((line) => line.includes(' download '))).toHaveLength(1);
    expect(lines).toContain(`waiting for another install (process ${process.pid})`);
  });

  it('breaks the lock and removes the remains of a killed one', async () => {
    const base = join(machine.cache, 'backends/tensorflow');
    const dead = spawnSync('true').pid;
    mkdirSync(join(base, `.partial-${dead}/work`), { recursive: true });
    writeFileSync(join(base, '.lock'), `${dead} ${hostname()} token`);
    await install();
    expect(tree(base).filter((path) => !path.startsWith(KEY))).toEqual([]);
  });

  it('replaces a damaged installation', async () => {
    const { library } = await install();
    writeFileSync(join(library.folder, 'deps/lib/libtensorflow_framework.so.2'), 'cut');
    expect(locate({ host: machine.host })).toBeUndefined();
    expect((await install()).alreadyInstalled).toBe(false);
    expect(locate({ host: machine.host })?.folder).toBe(library.folder);
  });

  it('fetches a newer pip when the local one cannot report hashes', async () => {
    const version = 'echo "pip 20.3.4 from /somewhere/pip (python 3.9)"';
    const download =
      'mkdir -p "$folder"; case "$*" in *" pip") touch "$folder/pip-25.0-py3-none-any.whl" ;; *) cp "$FAKE"/*.whl "$folder" ;; esac';
    machine.script('python3', python({ version, download }));
    await install();
    expect(
      machine.calls().filter((line) => line.includes('pip-25.0-py3-none-any.whl/pip install')),
    ).toHaveLength(1);
  });

  it('goes on without strip', async () => {
    machine.script('strip', undefined);
    const lines: string[] = [];
    await install({ log: (line) => lines.push(line) });
    expect(lines.join()).toContain('strip is not on PATH');
  });
});

describe('an installed TensorFlow', () => {
  const RECORD = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];

  function sitePackages(changed = false): string {
    const root = join(machine.folder, 'site');
    for (const [name, text] of Object.entries(WHEEL_FILES)) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    const lines = RECORD.map(
      (name) => `${name},sha256=${hash(changed ? 'x' : WHEEL_FILES[name]!, 'base64url')},1`,
    );
    mkdirSync(join(root, 'tensorflow_cpu-2.21.0.dist-info'));
    writeFileSync(join(root, 'tensorflow_cpu-2.21.0.dist-info/RECORD'), `${lines.join('\n')}\n`);
    machine.script('python3', python({ installed: `echo '{"version":"2.21.0","root":"${root}"}'` }));
    return root;
  }

  it('is used without a download', async () => {
    const root = sitePackages();
    expect((await install()).library.manifest).toMatchObject({ source: root });
    expect(machine.calls().filter((line) => line.includes('pip'))).toEqual([]);
  });

  it('is not used when its files are not those of its RECORD', async () => {
    sitePackages(true);
    const lines: string[] = [];
    expect((await install({ log: (line) => lines.push(line) })).library.manifest?.source).toBe(WHEEL);
    expect(lines.join()).toContain('its files are incomplete or changed');
  });
});

describe('remove', () => {
  it('leaves nothing behind', async () => {
    await install();
    mkdirSync(join(machine.cache, 'backends/tensorflow/.partial-1/work'), { recursive: true });
    const removed = await remove({ host: machine.host });
    expect(removed.folders).toEqual([join(machine.cache, 'backends/tensorflow', KEY)]);
    expect(removed.bytes).toBeGreaterThan(0);
    expect(tree(machine.folder)).not.toContain('cache');
  });

  it('of one build keeps the other, and of nothing does nothing', async () => {
    await install();
    expect(await remove({ host: machine.host, gpu: true })).toEqual({ folders: [], bytes: 0 });
    expect(locate({ host: machine.host })).toBeDefined();
    await remove({ host: machine.host, gpu: false });
    expect(await remove({ host: machine.host })).toEqual({ folders: [], bytes: 0 });
  });
});
