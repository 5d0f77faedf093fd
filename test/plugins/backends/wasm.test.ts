import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, expect, test } from 'vitest';
import wasm from '../../../plugins/backends/wasm/index.ts';
import { digest, type Digest } from './wasm-child.ts';

const child = fileURLToPath(new URL('wasm-child.ts', import.meta.url));

async function another(threads: number): Promise<Digest> {
  const args = ['--import', 'jiti/register', child, String(threads), '0,1,2,3'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Digest;
}

let run: (order: readonly number[]) => Digest;

beforeAll(async () => {
  run = await digest(1);
});

test('says what it runs on', async () => {
  const { available, detail } = await wasm.probe({ threads: 2 }, {} as never);
  expect(available).toBe(true);
  expect(detail).toMatch(/^tfjs-backend-wasm 4\.\d+\.\d+ on the CPU \(SIMD, 2 threads\)$/);
  expect(run([0])).toMatchObject({ threads: 1, device: 'CPU (SIMD)' });
});

test('gives the same bits whenever it is asked', () => {
  expect(run([0, 1, 2, 3])).toEqual(run([0, 1, 2, 3]));
});

test('gives the same bits in another process with two threads, which ends by itself', async () => {
  const [one, two] = [run([0, 1, 2, 3]), await another(2)];
  expect(two).toMatchObject({ threads: 2, device: 'CPU (SIMD, 2 threads)' });
  expect(two.images).toEqual(one.images);
  expect(two.training).toBe(one.training);
});

test('gives an image the same bits whatever its place and its companions', () => {
  const [a, b] = [run([0, 1, 2, 3]).images, run([4, 2, 0, 0]).images];
  expect([b[1], b[2], b[3]]).toEqual([a[2], a[0], a[0]]);
  expect(b[0]).not.toBe(a[0]);
});

test('lacks no kernel of the cpu backend but those of complex numbers, strings and ragged tensors', () => {
  const names = (backend: string) => tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName);
  const present = new Set(names('wasm'));
  const missing = names('cpu').filter((name) => !present.has(name));
  const other = /^(Complex.*|Draw|Einsum|FFT|IFFT|Imag|Ragged.*|Real|StaticRegexReplace)$/;
  expect(names('cpu').length).toBeGreaterThan(150);
  expect(missing.filter((name) => !other.test(name))).toEqual([]);
});

test('frees the memory of every step', () => {
  const backend = tf.backend() as BackendWasm;
  run([0, 1, 2, 3]);
  const before = [backend.numDataIds(), tf.memory().numTensors];
  for (let i = 0; i < 3; i++) run([0, 1, 2, 3]);
  expect([backend.numDataIds(), tf.memory().numTensors]).toEqual(before);
});

test('shares the memory of copies until the last of them is disposed', () => {
  const x = tf.tensor1d([1, 2, 3]);
  const copy = tf.clone(x);
  const cast = tf.cast(copy, 'float32');
  x.dispose();
  copy.dispose();
  expect(Array.from(tf.add(cast, 1).dataSync())).toEqual([2, 3, 4]);
  cast.dispose();
});

test('computes on when its heap has grown in the middle of an operator', () => {
  const sum = tf.tidy(() => {
    const x = tf.ones<tf.Rank.R4>([4, 256, 256, 16]);
    const filter = tf.ones<tf.Rank.R4>([3, 3, 16, 2]);
    return tf
      .grad((f) => tf.sum(tf.conv2d(x, f as tf.Tensor4D, 1, 'valid')))(filter)
      .dataSync();
  });
  expect(new Set(sum)).toEqual(new Set([4 * 254 * 254]));
});
