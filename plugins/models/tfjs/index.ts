import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { defineModel, type Context } from '../../../core/index.ts';
import { guarded } from '../foreign/failure.ts';
import { inspectGraph } from '../foreign/graph-inspect.ts';
import { graphModel, openGraph, requireOperators } from '../foreign/graph-model.ts';
import { assumed } from '../foreign/inspect.ts';
import { buildModel, describeLayers, layersModel } from '../foreign/layers-model.ts';
import type { Notes } from '../foreign/notes.ts';
import { foreignOptions, output, path } from '../foreign/options.ts';
import { makeSegmenter } from '../foreign/segmenter.ts';
import { isTree, type Tree } from '../foreign/tree.ts';
import { readTfjsFile, type TfjsFile } from './file.ts';

export default defineModel({
  name: 'tfjs',
  summary:
    'A model of TensorFlow.js (model.json, layers or graph), with gradients where its operators have them.',
  references: ['https://www.tensorflow.org/js/guide/save_load'],
  extensions: ['.json'],
  options: { path, output, ...foreignOptions },
  open: async (request, given, ctx) => {
    const notes: Notes = [];
    const { place, file, fingerprint } = await read(given.path, ctx);
    const model = await guarded(place, MISFIT, async () => {
      if (file.format === 'layers-model')
        return layersModel(await buildLayers(file, given, notes), place, fingerprint);
      const graph = await openGraph(file, given, notes);
      requireOperators(graph, place);
      return graphModel(graph, place, fingerprint, notes);
    });
    return makeSegmenter(model, request, given, ctx, notes);
  },
  inspect: async (request, given, ctx) => {
    const notes: Notes = [];
    const { place, file, fingerprint } = await read(given.path, ctx);
    return guarded(place, MISFIT, async () => {
      if (file.format === 'graph-model') {
        const graph = await openGraph(file, given, notes);
        return inspectGraph(graph, place, request, given, ctx, notes);
      }
      const built = await buildLayers(file, given, notes);
      const model = layersModel(built, place, fingerprint);
      try {
        return { ...describeLayers(built.model), ...assumed(model, request, given, ctx, notes) };
      } finally {
        model.dispose();
      }
    });
  },
});

const MISFIT = 'The parts of the model do not fit together.';

async function read(path: string, { baseDir }: Pick<Context, 'baseDir'>) {
  const place = resolve(baseDir, path);
  const file = await readTfjsFile(place);
  const hash = createHash('sha256').update(file.text).update(new Uint8Array(file.weights));
  return { place, file, fingerprint: hash.digest('hex') };
}

async function buildLayers(file: TfjsFile, options: Parameters<typeof buildModel>[1], notes: Notes) {
  const { model_config: config } = file.topology;
  const built = await buildModel(isTree(config) ? config : (file.topology as Tree), options, notes);
  const weights = tf.io.decodeWeights(file.weights, file.specs);
  built.model.loadWeights(weights);
  tf.dispose(weights);
  return built;
}
