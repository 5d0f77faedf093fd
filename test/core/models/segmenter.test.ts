import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { defineDefense } from '../../../core/index.ts';
import { networkSegmenter } from '../../../core/models/segmenter.ts';
import { expectClose } from '../../../core/testing/close.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, defend, doubling, grey, request, tiny } from './support.ts';

const brighten = defineDefense({
  name: 'brighten',
  summary: 'Adds a grey level before, and scales logits after.',
  options: { by: { description: 'Grey levels.', type: 'number', default: 10 } },
  input: (x, _domain, { by }, { tf }) => tf.add(x, by),
  output: (logits, _options, { tf }) => tf.mul(logits, 3),
});

test('logits are those of the model in inference mode: twice the same, and no statistics move', async () => {
  const network = build(unet, request(32), { width: 1 / 32 }, [defend(nlce, { normGamma: 1 })]);
  const x = grey([2, 32, 32, 1]);
  const before = network.model.getWeights().map((w) => w.dataSync());
  const segmenter = await networkSegmenter(network, []);
  const first = segmenter.logits(x);
  expect(first.shape).toEqual([2, 32, 32, 2]);
  expectClose(segmenter.logits(x), first);
  expectClose(first, network.model.apply(x, { training: false }) as Tensor4D);
  expect(network.model.getWeights().map((w) => w.dataSync())).toEqual(before);
});

test('input and output defenses act around the network, architecture defenses only inside', async () => {
  const x = grey([1, 4, 4, 1]);
  const bare = await networkSegmenter(build(tiny, request(4)), []);
  const both = [defend(brighten, { by: 20 }), defend(doubling)];
  const defended = await networkSegmenter(build(tiny, request(4), {}, both), both);
  expectClose(defended.logits(x), tf.mul(bare.logits(tf.add(x, 20)), 6), { rtol: 1e-6 });
});

test('a defense that changes the shape of images or logits is refused', async () => {
  const crop = defineDefense({
    name: 'crop',
    summary: 'Crops.',
    options: {},
    output: (logits, _options, { tf }) => tf.slice4d(logits, [0, 0, 0, 0], [-1, 2, 2, -1]),
  });
  const segmenter = await networkSegmenter(build(tiny, request(4)), [defend(crop)]);
  const attempt = () => segmenter.logits(grey([1, 4, 4, 1]));
  expect(attempt).toThrow(expect.objectContaining({ code: 'MODEL_SHAPE' }));
  expect(attempt).toThrow(/'crop'[^]*\[1, 4, 4, 2\][^]*\[1, 2, 2, 2\]/);
});

test('fifty forwards and gradients leave no tensor behind, and disposal frees the network', async () => {
  const start = tf.memory().numTensors;
  const defenses = [defend(nlce), defend(brighten)];
  const segmenter = await networkSegmenter(
    build(unet, request(16), { width: 1 / 64, depth: 2 }, defenses),
    defenses,
  );
  const x = grey([1, 16, 16, 1]);
  const before = tf.memory().numTensors;
  for (let i = 0; i < 50; i++) {
    tf.dispose(segmenter.logits(x));
    tf.dispose(tf.tidy(() => tf.grad((v) => tf.sum(segmenter.logits(v as Tensor4D)))(x)));
  }
  expect(tf.memory().numTensors).toBe(before);
  segmenter.dispose();
  x.dispose();
  expect(tf.memory().numTensors).toBe(start);
});

test('the fingerprint covers input and output defenses and their options', async () => {
  const of = async (...defenses: ReturnType<typeof defend>[]) =>
    (await networkSegmenter(build(tiny, request(4)), defenses)).fingerprint;
  const all = [await of(), await of(defend(brighten)), await of(defend(brighten, { by: 11 }))];
  expect(new Set(all).size).toBe(3);
  expect(await of(defend(brighten))).toBe(all[1]);
});
