import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { guarded, invalid, unsupported } from '../foreign/failure.ts';
import { insidePath } from '../foreign/inside.ts';
import { isTree, type Tree } from '../foreign/tree.ts';

/** A model as TensorFlow.js and its converter write it: `model.json` and files of weights beside it. */
export interface TfjsFile {
  readonly format: 'layers-model' | 'graph-model';
  readonly topology: Tree;
  readonly specs: tf.io.WeightsManifestEntry[];
  readonly weights: ArrayBuffer;
  readonly text: string;
}

/**
 * Reads `model.json` and its weights.
 *
 * @throws RobustError MODEL_FILE_INVALID, MODEL_UNSUPPORTED
 */
export async function readTfjsFile(path: string): Promise<TfjsFile> {
  return guarded(path, 'The file cannot be read as a model of TensorFlow.js.', () => {
    const text = readFileSync(path, 'utf8');
    const model: unknown = JSON.parse(text);
    const topology = isTree(model) ? model['modelTopology'] : undefined;
    if (!isTree(model) || !isTree(topology) || !Array.isArray(model['weightsManifest']))
      throw invalid('The file is no model of TensorFlow.js.', {
        expected: 'modelTopology and weightsManifest',
      });
    const groups = model['weightsManifest'] as tf.io.WeightsManifestConfig;
    const parts = groups.flatMap(({ paths }) => paths).map((part) => bytesOf(part, path));
    const specs = groups.flatMap(({ weights }) => weights);
    const weights = new Uint8Array(Buffer.concat(parts)).buffer;
    return { format: formatOf(model, topology), topology, specs, weights, text };
  });
}

function bytesOf(part: unknown, path: string): Uint8Array {
  return readFileSync(insidePath(dirname(path), String(part), 'weightsManifest'));
}

/** Older files do not say; a graph has nodes. */
function formatOf({ format }: Tree, topology: Tree): TfjsFile['format'] {
  const found = format ?? ('node' in topology ? 'graph-model' : 'layers-model');
  if (found === 'layers-model' || found === 'graph-model') return found;
  throw unsupported('The model has a format that is not read.', {
    expected: 'layers-model or graph-model',
    received: JSON.stringify(found),
  });
}
