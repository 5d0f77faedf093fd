import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { ready, File, type Group } from 'h5wasm';
import { guarded, invalid } from '../foreign/failure.ts';
import { isTree, type Tree } from '../foreign/tree.ts';

/** Numbers of one weight. */
export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A Keras file, as far as it is read. */
export interface KerasFile {
  readonly bytes: Uint8Array;
  /** Class and configuration of the model. */
  readonly topology: Tree;
  /** Weights of a layer of the model, in the order in which layers hold them. */
  weightsOf(layer: StoredLayer): Weight[];
}

/** Where a layer's weights lie: under its name in a `.h5` file, in a folder of a `.keras` file. */
export interface StoredLayer {
  readonly name: string;
  readonly folder: string;
  /** Layers of a model that is used as a layer. */
  readonly inner: readonly StoredLayer[];
}

/** More than any model, less than what takes a machine down: a few kilobytes of zip may stand for any number of bytes. */
const LARGEST = 2 ** 31;

/**
 * Reads a `.keras` or `.h5` file of Keras 2 or 3.
 *
 * @throws RobustError MODEL_FILE_INVALID
 */
export async function readKerasFile(path: string): Promise<KerasFile> {
  return guarded(path, 'The file cannot be read as a Keras model.', async () => {
    const bytes = readFileSync(path);
    return bytes.subarray(0, 2).toString('latin1') === 'PK' ? readZip(bytes) : readLegacy(bytes);
  });
}

async function readZip(bytes: Uint8Array): Promise<KerasFile> {
  const wanted = ['config.json', 'model.weights.h5'];
  const files = unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      if (originalSize > LARGEST)
        throw invalid('A part of the file is larger than any model.', {
          received: `${name}, ${originalSize} bytes`,
        });
      return wanted.includes(name);
    },
  });
  const missing = wanted.find((name) => !files[name]);
  if (missing !== undefined) throw invalid('A part of the file is missing.', { expected: missing });
  const weights = await readGroups(files['model.weights.h5']!, (root) => datasets(root, 'layers'));
  const weightsOf = ({ folder }: StoredLayer): Weight[] => {
    const found: Weight[] = [];
    const next = () => weights.get(`${folder}/vars/${found.length}`);
    for (let weight = next(); weight; weight = next()) found.push(weight);
    return found;
  };
  return { bytes, topology: topologyOf(new TextDecoder().decode(files['config.json'])), weightsOf };
}

async function readLegacy(bytes: Uint8Array): Promise<KerasFile> {
  if (Buffer.from(bytes.subarray(1, 4)).toString('latin1') !== 'HDF')
    throw invalid('The file is neither HDF5 nor a .keras archive.', { received: `${bytes.length} bytes` });
  const { config, weights } = await readGroups(bytes, (root) => {
    const text = root.attrs['model_config']?.value;
    if (typeof text !== 'string')
      throw invalid('The file holds weights without the model they belong to.', {
        expected: 'a file that model.save() wrote',
        next: 'save the whole model, not its weights alone',
      });
    return { config: text, weights: legacyWeights(root.get('model_weights')) };
  });
  return { bytes, topology: topologyOf(config), weightsOf: ({ name }) => weights.get(name) ?? [] };
}

function topologyOf(text: string): Tree {
  const topology: unknown = JSON.parse(text);
  if (isTree(topology)) return topology;
  throw invalid('The configuration of the model is no object.');
}

/** Opens a file in the memory of the library, which sees no other file. */
async function readGroups<T>(bytes: Uint8Array, read: (root: Group) => T): Promise<T> {
  const library = await ready;
  // Otherwise it prints what it dislikes, at length.
  library.activate_throwing_error_handler();
  const { FS } = library;
  FS.writeFile('model.h5', bytes);
  try {
    const file = new File('model.h5', 'r');
    try {
      return read(file);
    } finally {
      file.close();
    }
  } finally {
    FS.unlink('model.h5');
  }
}

/** Weights per layer name, each in the order that the file lists. */
function legacyWeights(root: unknown): Map<string, Weight[]> {
  if (!isGroup(root)) throw invalid('The file holds no weights.');
  return new Map(
    root.keys().map((layer) => {
      const group = root.get(layer);
      const listed = isGroup(group) ? [group.attrs['weight_names']?.value].flat() : [];
      const names = listed.filter((name) => typeof name === 'string' && name !== '');
      return [
        layer,
        names.map((name) => weightOf((group as Group).get(String(name)), `${layer}/${String(name)}`)),
      ];
    }),
  );
}

/** All datasets below a group, by their path. */
function datasets(root: Group, path: string): Map<string, Weight> {
  const entity = root.get(path);
  if (!isGroup(entity))
    return entity && 'value' in entity ? new Map([[path, weightOf(entity, path)]]) : new Map();
  return new Map(entity.keys().flatMap((key) => [...datasets(root, `${path}/${key}`)]));
}

function weightOf(entity: unknown, where: string): Weight {
  const { shape, value } = (entity ?? {}) as { shape?: number[]; value?: unknown };
  if (shape && value instanceof Float32Array) return { shape, values: value };
  if (shape && ArrayBuffer.isView(value))
    return { shape, values: Float32Array.from(value as unknown as ArrayLike<number>) };
  throw invalid('A weight is missing, or holds no numbers.', { where });
}

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && 'keys' in value;
}
