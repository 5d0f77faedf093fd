import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { fingerprint } from '../../../core/models/fingerprint.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, request } from './support.ts';

/** A model whose layers take their names from the counter of the process. */
function unnamed(units = 3, value = 0.5): tfl.LayersModel {
  const input = tfl.input({ shape: [2] });
  const hidden = tfl.layers.dense({ units, activation: 'relu' }).apply(input) as tfl.SymbolicTensor;
  const output = tfl.layers.dense({ units: 1 }).apply(hidden) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: output });
  model.setWeights(model.getWeights().map((w) => tf.fill(w.shape, value)));
  return model;
}

test('it is the same in every process, whatever the counter of layer names says', async () => {
  const pinned = '0110bd3de4a65c41599dcb96c42491be52cdc3068df8afa0cb8160b9ba568c92';
  expect(await fingerprint(unnamed())).toBe(pinned);
  expect(await fingerprint(unnamed())).toBe(pinned);
});

test('it changes with a weight, a shape and the topology', async () => {
  const all = [unnamed(), unnamed(4), unnamed(3, 0.25), build(unet, request(16), { width: 1 / 64 }).model];
  expect(new Set(await Promise.all(all.map(fingerprint))).size).toBe(4);
});

test('seeds and initialisers do not count once the weights are equal', async () => {
  const [one, two] = [1, 2].map((seed) => build(unet, request(16), { width: 1 / 64 }, [], seed).model);
  expect(await fingerprint(one!)).not.toBe(await fingerprint(two!));
  two!.setWeights(one!.getWeights());
  expect(await fingerprint(one!)).toBe(await fingerprint(two!));
});
