import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { defineModel, type Context, type OptionsOf } from '../../../core/index.ts';
import { guarded, invalid } from '../foreign/failure.ts';
import { assumed } from '../foreign/inspect.ts';
import { buildModel, describeLayers, layersModel } from '../foreign/layers-model.ts';
import type { Notes } from '../foreign/notes.ts';
import { foreignOptions, output, path } from '../foreign/options.ts';
import { makeSegmenter } from '../foreign/segmenter.ts';
import { storedLayers, translate } from './config.ts';
import { readKerasFile, type KerasFile, type StoredLayer } from './file.ts';
import './up-sampling.ts';

const options = { path, output, ...foreignOptions } as const;

export default defineModel({
  name: 'keras',
  summary:
    'A model that Keras 2 or 3 saved (.keras, .h5), of layers that TensorFlow.js has, with exact gradients.',
  references: ['https://keras.io/guides/serialization_and_saving/'],
  extensions: ['.keras', '.h5', '.hdf5'],
  options,
  open: async (request, given, ctx) => {
    const notes: Notes = [];
    const { model } = await read(given, notes, ctx);
    return makeSegmenter(model, request, given, ctx, notes);
  },
  inspect: async (request, given, ctx) => {
    const notes: Notes = [];
    const { model, layers } = await read(given, notes, ctx);
    try {
      return { ...describeLayers(layers), ...assumed(model, request, given, ctx, notes) };
    } finally {
      model.dispose();
    }
  },
});

async function read(given: OptionsOf<typeof options>, notes: Notes, ctx: Context) {
  const place = resolve(ctx.baseDir, given.path);
  const file = await readKerasFile(place);
  const topology = translate(file.topology);
  const built = await guarded(place, 'The layers of the model do not fit together.', async () => {
    const made = await buildModel(topology, given, notes);
    tf.tidy(() => setWeights(made.model, storedLayers(file.topology), file));
    return made;
  });
  const fingerprint = createHash('sha256').update(file.bytes).digest('hex');
  return { model: layersModel(built, place, fingerprint), layers: built.model };
}

/** Weights of a model inside a model lie with it, or with its layers. */
function setWeights(model: tfl.LayersModel, stored: readonly StoredLayer[], file: KerasFile): void {
  for (const layer of stored) {
    const target = model.getLayer(layer.name);
    const weights = file.weightsOf(layer);
    if (weights.length === 0 && layer.inner.length > 0) {
      setWeights(target as tfl.LayersModel, layer.inner, file);
      continue;
    }
    if (weights.length !== target.weights.length) {
      const [expected, received] = [target.weights, weights].map(({ length }) => `${length} weights`);
      const where = `layer '${layer.name}'`;
      throw invalid('A layer has less or more weights than it needs.', {
        where,
        expected: expected!,
        received: received!,
      });
    }
    target.setWeights(weights.map(({ shape, values }) => tf.tensor(values, [...shape])));
  }
}
