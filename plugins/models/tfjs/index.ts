import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { defineModel } from '../../../core/index.ts';
import { guarded } from '../foreign/failure.ts';
import { buildModel, layersModel } from '../foreign/layers-model.ts';
import type { Notes } from '../foreign/notes.ts';
import { foreignOptions, output, path } from '../foreign/options.ts';
import { makeSegmenter } from '../foreign/segmenter.ts';
import { isTree, type Tree } from '../foreign/tree.ts';
import { readTfjsFile, type TfjsFile } from './file.ts';
import { graphModel } from './graph.ts';

export default defineModel({
  name: 'tfjs',
  summary:
    'A model of TensorFlow.js (model.json, layers or graph), with gradients where its operators have them.',
  references: ['https://www.tensorflow.org/js/guide/save_load'],
  extensions: ['.json'],
  options: { path, output, ...foreignOptions },
  open: async (request, given, ctx) => {
    const notes: Notes = [];
    const place = resolve(ctx.baseDir, given.path);
    const file = await readTfjsFile(place);
    const fingerprint = createHash('sha256')
      .update(file.text)
      .update(new Uint8Array(file.weights))
      .digest('hex');
    const model = await guarded(place, 'The parts of the model do not fit together.', async () =>
      file.format === 'graph-model'
        ? { ...(await graphModel(file, given, notes)), path: place, fingerprint }
        : layersModel(await buildLayers(file, given, notes), place, fingerprint),
    );
    return makeSegmenter(model, request, given, ctx, notes);
  },
});

async function buildLayers(file: TfjsFile, options: Parameters<typeof buildModel>[1], notes: Notes) {
  const { model_config: config } = file.topology;
  const built = await buildModel(isTree(config) ? config : (file.topology as Tree), options, notes);
  const weights = tf.io.decodeWeights(file.weights, file.specs);
  built.model.loadWeights(weights);
  tf.dispose(weights);
  return built;
}
