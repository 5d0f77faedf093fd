import { resolve } from 'node:path';
import { defineModel, type Context, type OptionsOf } from '../../../core/index.ts';
import { guarded } from '../foreign/failure.ts';
import { inspectGraph } from '../foreign/graph-inspect.ts';
import { graphModel, openGraph, requireOperators } from '../foreign/graph-model.ts';
import type { Notes } from '../foreign/notes.ts';
import { foreignOptions, output, path } from '../foreign/options.ts';
import { makeSegmenter } from '../foreign/segmenter.ts';
import { readSavedModel } from './file.ts';
import { frozen } from './freeze.ts';

const options = {
  path: { ...path, description: 'The folder of the model, or saved_model.pb in it.' },
  signature: {
    description: 'Which function of the model is tested.',
    type: 'string',
    default: 'serving_default',
  },
  output,
  ...foreignOptions,
} as const;

export default defineModel({
  name: 'savedmodel',
  summary:
    'A SavedModel of TensorFlow or Keras, run operator by operator: with exact gradients, on every backend.',
  references: ['https://www.tensorflow.org/guide/saved_model'],
  extensions: ['saved_model.pb'],
  options,
  open: async (request, given, ctx) => {
    const notes: Notes = [];
    const { place, graph, fingerprint } = await read(given, notes, ctx);
    requireOperators(graph, place);
    return makeSegmenter(graphModel(graph, place, fingerprint, notes), request, given, ctx, notes);
  },
  inspect: async (request, given, ctx) => {
    const notes: Notes = [];
    const { place, graph } = await read(given, notes, ctx);
    return inspectGraph(graph, place, request, given, ctx, notes);
  },
});

async function read(given: OptionsOf<typeof options>, notes: Notes, { baseDir }: Context) {
  const place = resolve(baseDir, given.path);
  const { meta, folder, signature, signatures, fingerprint } = await readSavedModel(place, given.signature);
  // Keras 3 writes the same function twice.
  if (signatures.some((name) => name !== given.signature && name !== 'serve'))
    notes.push({
      text: `the signature '${given.signature}' is tested (option signature; there are: ${signatures.join(', ')})`,
      ...{ option: 'signature', value: given.signature },
    });
  const graph = await guarded(place, 'The parts of the model do not fit together.', () => {
    // A map of the format has no order; names do.
    const outputs = Object.entries(signature.outputs).sort(([a], [b]) => (a < b ? -1 : 1));
    const source = frozen(meta, folder, outputs);
    return openGraph(source, given, notes);
  });
  return { place, graph, fingerprint };
}
