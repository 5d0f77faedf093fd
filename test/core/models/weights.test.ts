import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { io, Tensor4D } from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderHandler, loadWeights, saveWeights } from '../../../core/models/weights.ts';
import { expectClose } from '../../../core/testing/close.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, defend, grey, request } from './support.ts';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'weights-'))));
afterEach(() => rm(dir, { recursive: true }));

const network = (seed = 1, channels = 2) =>
  build(unet, request(16), { width: channels / 64 }, [], seed).model;
const shard = async () =>
  join(
    dir,
    (await readdir(dir)).find((name) => name.endsWith('.bin'))!,
  );
const failure = (code: string) => expect.objectContaining({ code });

test('weights come back bit for bit', async () => {
  const saved = build(unet, request(32), { width: 1 / 32 }, [defend(nlce)], 1).model;
  const loaded = build(unet, request(32), { width: 1 / 32 }, [defend(nlce)], 2).model;
  await saveWeights(saved, dir);
  const before = tf.memory().numTensors;
  await loadWeights(loaded, dir);
  expect(tf.memory().numTensors).toBe(before);
  loaded.weights.forEach((weight, i) => expectClose(weight.read(), saved.weights[i]!.read()));
});

test('a U-Net is an ordinary TensorFlow.js model: loadLayersModel needs nothing of this package', async () => {
  const model = network();
  await saveWeights(model, dir);
  const { modelTopology, weightsManifest } = JSON.parse(
    await readFile(join(dir, 'model.json'), 'utf8'),
  ) as io.ModelJSON;
  const [group] = weightsManifest;
  const bytes = await readFile(join(dir, group!.paths[0]!));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const plain = await tfl.loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs: group!.weights, weightData }),
  );
  const standard = [
    'Rescaling',
    'Conv2D',
    'MaxPooling2D',
    'Dropout',
    'Conv2DTranspose',
    'Concatenate',
    'InputLayer',
  ];
  expect(standard).toEqual(expect.arrayContaining(plain.layers.map((layer) => layer.getClassName())));
  expect(plain.getLayer('dropout5').constructor).toBe(tfl.layers.dropout({ rate: 0.5 }).constructor);
  const x = grey([1, 16, 16, 1]);
  expectClose(plain.predict(x) as Tensor4D, model.apply(x, { training: false }) as Tensor4D);
});

test('a network with NLCE loads as a whole too, its layers being registered', async () => {
  const { model } = build(unet, request(32), { width: 1 / 32 }, [
    defend(nlce, { scaled: true, combine: 'sum', normGamma: 1 }),
  ]);
  await saveWeights(model, dir);
  const whole = await tfl.loadLayersModel(folderHandler(dir));
  const x = grey([1, 32, 32, 1]);
  expectClose(whole.predict(x) as Tensor4D, model.apply(x, { training: false }) as Tensor4D);
});

test('saving again replaces the weights and leaves nothing else behind', async () => {
  await saveWeights(network(1), dir);
  const first = await shard();
  await saveWeights(network(2), dir);
  expect(await readdir(dir)).toHaveLength(2);
  expect(await shard()).not.toBe(first);
});

test('a truncated file is refused with both lengths', async () => {
  await saveWeights(network(), dir);
  await truncate(await shard(), 1000);
  const attempt = loadWeights(network(), dir);
  await expect(attempt).rejects.toThrow(failure('WEIGHTS_INVALID'));
  await expect(attempt).rejects.toThrow(/received: 1000 bytes/);
});

test('weights of another network are refused with expected and received shapes', async () => {
  await saveWeights(network(1, 2), dir);
  const attempt = loadWeights(network(1, 3), dir);
  await expect(attempt).rejects.toThrow(failure('WEIGHTS_INVALID'));
  await expect(attempt).rejects.toThrow(
    /expected: enc1_1\/kernel 3x3x1x3[^]*received: enc1_1\/kernel 3x3x1x2/,
  );
  const { model } = build(unet, request(32), { width: 1 / 32 }, [defend(nlce)]);
  await expect(loadWeights(model, dir)).rejects.toThrow(/received: [^]*bottleneck_nlce_\w+\/\w+ absent/);
});

test('a missing folder, a missing shard and broken JSON are refused', async () => {
  await expect(loadWeights(network(), join(dir, 'none'))).rejects.toThrow(failure('WEIGHTS_INVALID'));
  await saveWeights(network(), dir);
  await rm(await shard());
  await expect(loadWeights(network(), dir)).rejects.toThrow(/no such file/);
  await writeFile(join(dir, 'model.json'), '{"weightsManifest":');
  await expect(loadWeights(network(), dir)).rejects.toThrow(failure('WEIGHTS_INVALID'));
});

test('NaN and infinity are refused by name, on the way out and on the way in', async () => {
  const model = network();
  await saveWeights(model, dir);
  const path = await shard();
  const bytes = await readFile(path);
  bytes.writeFloatLE(Number.NaN, 0);
  await writeFile(path, bytes);
  await expect(loadWeights(model, dir)).rejects.toThrow(failure('WEIGHTS_NOT_FINITE'));
  await expect(loadWeights(model, dir)).rejects.toThrow(/'enc1_1\/kernel'/);
  model.getLayer('logits').setWeights([tf.fill([1, 1, 2, 2], Infinity), tf.zeros([2])]);
  await expect(saveWeights(model, dir)).rejects.toThrow(/'logits\/kernel'/);
});
