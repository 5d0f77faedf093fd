import { createHash } from 'node:crypto';
import type * as tfl from '@tensorflow/tfjs-layers';

/** Parts of a topology that do not change what the model computes once its weights are known. */
const IRRELEVANT = /_initializer$|_regularizer$|_constraint$|^(seed|trainable|dtype|keras_version|backend)$/;

/**
 * SHA-256 of what a model computes: its topology and the bytes of its weights. Equal in every process and run:
 * layer names, which may come from a counter of the process, are replaced by their position, and initialisers and
 * seeds, which the weights supersede, are left out.
 */
export async function fingerprint(model: tfl.LayersModel): Promise<string> {
  const hash = createHash('sha256').update(topology(model));
  for (const weight of model.layers.flatMap((layer) => layer.weights)) {
    const value = await weight.read().data();
    hash.update(`${weight.originalName.split('/').at(-1)} ${weight.shape.join('x')}\n`);
    hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  return hash.digest('hex');
}

function topology(model: tfl.LayersModel): string {
  const position = new Map(model.layers.map(({ name }, index) => [name, `layer ${index}`]));
  position.set(model.name, 'model');
  return JSON.stringify(model.toJSON(null, false), (key, value: unknown) => {
    if (IRRELEVANT.test(key)) return undefined;
    return typeof value === 'string' ? (position.get(value) ?? value) : value;
  });
}
