import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// Registers the gradients, which the Node build of tfjs-core does not.
import '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testInChild } from '../../../plugins/backends/tensorflow/child.ts';
import { thisHost } from '../../../plugins/backends/tensorflow/host.ts';
import { installLibrary } from '../../../plugins/backends/tensorflow/install.ts';
import { cacheFolder, locate } from '../../../plugins/backends/tensorflow/library.ts';
import { loadTensorFlow } from '../../../plugins/backends/tensorflow/load.ts';
import { reference, selfTest } from '../../../core/selftest.ts';
import { fakeMachine, type FakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(() => void (machine = fakeMachine()));
afterEach(() => machine.clean());

describe('the cache folder', () => {
  const home = '/home/me';
  it.each([
    ['linux', {}, '/home/me/.cache/robust'],
    ['linux', { XDG_CACHE_HOME: '/fast' }, '/fast/robust'],
    ['darwin', { XDG_CACHE_HOME: '/fast' }, '/home/me/Library/Caches/robust'],
    ['darwin', { ROBUST_CACHE: '/mine' }, '/mine'],
  ] as const)('on %s with %o', (platform, env, expected) => {
    expect(cacheFolder({ platform, env, home })).toBe(expected);
  });
});

describe("upstream's own addon", () => {
  const put = (path: string) => {
    mkdirSync(join(machine.host.addonPackage, path, '..'), { recursive: true });
    writeFileSync(join(machine.host.addonPackage, path), 'x');
  };

  it('is used where it is already there', async () => {
    put('lib/napi-v8/tfjs_binding.node');
    put('deps/lib/libtensorflow.so.2');
    expect(locate({ host: machine.host })).toMatchObject({
      origin: 'upstream',
      folder: machine.host.addonPackage,
    });
    expect(await installLibrary({ host: machine.host })).toMatchObject({ alreadyInstalled: true });
    expect(machine.calls()).toEqual([]);
  });

  it('is not used without its library', () => {
    put('lib/napi-v8/tfjs_binding.node');
    expect(locate({ host: machine.host })).toBeUndefined();
  });
});

describe('the self-test', () => {
  it('agrees with an independent implementation, leaks nothing', async () => {
    await tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    const results = await selfTest(tf);
    expect(results.map(({ name }) => name)).toEqual(['conv2d', 'relu', 'maxPool', 'matMul', 'gradient']);
    for (const result of results) expect(result).toMatchObject({ ok: true, maxDifference: 0 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('notices a wrong gradient', async () => {
    const wrong = {
      ...tf,
      grad: (f: Parameters<typeof tf.grad>[0]) => (x: tf.Tensor) => tf.mul(tf.grad(f)(x), 1.001),
    };
    const results = await selfTest(wrong as typeof tf);
    expect(results.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['gradient']);
  });

  it('has no ties, where more than one gradient would be right', () => {
    const { convolved, activated, pooled } = reference();
    expect(convolved).not.toContain(0);
    const window = (i: number) => {
      const [filter, column, row] = [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9)];
      return [0, 1, 6, 7].map((step) => activated[(row * 12 + column * 2 + step) * 3 + filter]!);
    };
    const wins = pooled.map((value, i) => window(i).filter((other) => other === value).length);
    expect(pooled.filter((value, i) => value > 0 && wins[i] !== 1)).toEqual([]);
  });
});

describe('loading', () => {
  it('says how to install what is missing', () => {
    expect(() => loadTensorFlow({ host: machine.host, gpu: true })).toThrow(
      expect.objectContaining({
        code: 'BACKEND_NOT_INSTALLED',
        advice: expect.stringContaining('robust backend install tensorflow --gpu'),
      }),
    );
  });

  it('says why an addon cannot be loaded, and leaves the active backend alone', async () => {
    await tf.setBackend('cpu');
    const addon = join(machine.folder, 'tfjs_binding.node');
    writeFileSync(addon, 'no library');
    expect(() => loadTensorFlow({ addon })).toThrow(expect.objectContaining({ code: 'BACKEND_LOAD_FAILED' }));
    expect(tf.getBackend()).toBe('cpu');
  });
});

const installed = locate({ gpu: false });

// Last, because it registers a backend in this process.
describe.skipIf(!installed)('the installed library', () => {
  it('passes its self-test in a child process, without a word on stderr', async () => {
    const host = thisHost();
    const stderr: string[] = [];
    const run: typeof host.run = async (...call) => {
      const result = await host.run(...call);
      stderr.push(result.stderr);
      return result;
    };
    const report = await testInChild({ ...host, run }, installed!.addon);
    expect(report.tests.every(({ ok }) => ok)).toBe(true);
    // Where oneDNN is on by itself it says so whatever the log level.
    const lines = stderr.flatMap((text) => text.split('\n'));
    expect(lines.filter((line) => !/^$|absl::InitializeLog|oneDNN custom operations/.test(line))).toEqual([]);
  });

  it('shares one engine with imported tfjs-core and keeps the active backend when asked to', async () => {
    await tf.setBackend('cpu');
    const { tf: native, info } = loadTensorFlow({ activate: false });
    expect(native.engine()).toBe(tf.engine());
    expect(tf.getBackend()).toBe('cpu');
    expect(info.version).toMatch(/^2\./);
    loadTensorFlow();
    expect(tf.getBackend()).toBe('tensorflow');
    for (const result of await selfTest(tf)) expect(result.ok).toBe(true);
  });
});
