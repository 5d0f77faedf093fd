import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { io, Tensor } from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { RobustError } from '../errors/index.ts';

/**
 * A handler for `model.save` and `tf.loadLayersModel` that keeps a model in a folder, as `model.json` and one file
 * of weights: TensorFlow.js itself has none for Node. Each file is written beside its place and renamed, weights
 * first and under a name made from their content, so that a reader never sees a torn or mismatched pair.
 */
export function folderHandler(dir: string): Required<Pick<io.IOHandler, 'save' | 'load'>> {
  return { save: (artifacts) => write(dir, artifacts), load: () => read(dir) };
}

/**
 * Saves topology and weights in the TF.js layers format.
 *
 * @throws RobustError WEIGHTS_NOT_FINITE when a weight holds NaN or infinity: such a model is not worth keeping.
 */
export async function saveWeights(model: tfl.LayersModel, dir: string): Promise<void> {
  for (const weight of model.weights) await checkFinite(weight.originalName, weight.read(), dir);
  await model.save(folderHandler(dir));
}

/**
 * Loads stored weights into a model of the same architecture.
 *
 * @throws RobustError WEIGHTS_INVALID when files are missing, damaged or of another network; WEIGHTS_NOT_FINITE
 * when a weight holds NaN or infinity.
 */
export async function loadWeights(model: tfl.LayersModel, dir: string): Promise<void> {
  const { weightSpecs, weightData } = await read(dir);
  checkSpecs(model, weightSpecs, dir);
  const weights = tf.io.decodeWeights(weightData, weightSpecs);
  try {
    for (const [name, weight] of Object.entries(weights)) await checkFinite(name, weight, dir);
    model.loadWeights(weights);
  } finally {
    tf.dispose(weights);
  }
}

/**
 * Takes over those stored weights that the model has too, by name and shape; returns how many.
 *
 * @throws RobustError WEIGHTS_INVALID when there are none, or when files are missing or damaged.
 */
export async function adoptWeights(model: tfl.LayersModel, dir: string): Promise<number> {
  const { weightSpecs, weightData } = await read(dir);
  const stored = tf.io.decodeWeights(weightData, weightSpecs);
  const common = model.weights.filter(({ originalName, shape }) =>
    tf.util.arraysEqual(stored[originalName]?.shape ?? [NaN], shape as number[]),
  );
  for (const weight of common) weight.write(stored[weight.originalName]!);
  tf.dispose(stored);
  if (common.length > 0) return common.length;
  throw new RobustError('WEIGHTS_INVALID', {
    message: 'Stored weights have nothing in common with the network that is to start from them.',
    where: dir,
    expected: model.weights[0]?.originalName ?? 'a network with weights',
    received: weightSpecs[0]?.name ?? 'no weights',
    next: 'start from a subject whose layers have the same names and sizes',
  });
}

type Stored = io.ModelArtifacts & { weightSpecs: io.WeightsManifestEntry[]; weightData: ArrayBuffer };

async function write(dir: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData));
  const file = `weights-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.bin`;
  const weightsManifest = [{ paths: [file], weights: artifacts.weightSpecs ?? [] }];
  const { modelTopology, format, generatedBy, convertedBy } = artifacts;
  const json = JSON.stringify({ modelTopology, format, generatedBy, convertedBy, weightsManifest });
  await mkdir(dir, { recursive: true });
  await replaceFile(join(dir, file), bytes);
  await replaceFile(join(dir, 'model.json'), json);
  for (const stale of await readdir(dir)) {
    if (/^weights-[0-9a-f]{12}\.bin$/.test(stale) && stale !== file) await rm(join(dir, stale));
  }
  return { modelArtifactsInfo: { ...tf.io.getModelArtifactsInfoForJSON(artifacts), dateSaved: new Date() } };
}

async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

async function read(dir: string): Promise<Stored> {
  try {
    const json = JSON.parse(await readFile(join(dir, 'model.json'), 'utf8')) as io.ModelJSON;
    const shards = json.weightsManifest.flatMap(({ paths }) => paths);
    const bytes = Buffer.concat(await Promise.all(shards.map((shard) => readFile(join(dir, shard)))));
    const weightSpecs = tf.io.getWeightSpecs(json.weightsManifest);
    checkLength(weightSpecs, bytes.byteLength, dir);
    const weightData = new Uint8Array(bytes).buffer;
    return { ...tf.io.getModelArtifactsForJSONSync(json, weightSpecs, weightData), weightSpecs, weightData };
  } catch (cause) {
    if (cause instanceof RobustError) throw cause;
    throw new RobustError('WEIGHTS_INVALID', {
      message: 'Stored weights cannot be read.',
      where: dir,
      expected: 'a model.json in the TensorFlow.js layers format and the files it names',
      received: cause instanceof Error ? cause.message : String(cause),
      next: 'train the network again, or name another folder',
      cause,
    });
  }
}

function checkLength(specs: readonly io.WeightsManifestEntry[], received: number, dir: string): void {
  const expected = specs.reduce((sum, spec) => sum + tf.util.sizeFromShape(spec.shape) * bytesPer(spec), 0);
  if (received === expected) return;
  throw new RobustError('WEIGHTS_INVALID', {
    message: 'Stored weights are truncated or damaged.',
    where: dir,
    expected: `${expected} bytes, by model.json`,
    received: `${received} bytes`,
    next: 'copy the folder again, or train the network again',
  });
}

function bytesPer({ dtype, quantization }: io.WeightsManifestEntry): number {
  return tf.util.bytesPerElement(
    quantization?.dtype === 'float16' ? 'float32' : ((quantization?.dtype ?? dtype) as 'float32'),
  );
}

function checkSpecs(model: tfl.LayersModel, specs: readonly io.WeightsManifestEntry[], dir: string): void {
  const wanted = new Map(model.weights.map(({ originalName, shape }) => [originalName, shape.join('x')]));
  const found = new Map(specs.map(({ name, shape }) => [name, shape.join('x')]));
  const names = [...new Set([...wanted.keys(), ...found.keys()])];
  const wrong = names.filter((name) => wanted.get(name) !== found.get(name));
  if (wrong.length === 0) return;
  const list = (shapes: Map<string, string>) =>
    wrong
      .slice(0, 3)
      .map((name) => `${name} ${shapes.get(name) ?? 'absent'}`)
      .join(', ');
  throw new RobustError('WEIGHTS_INVALID', {
    message: `Stored weights belong to another network: ${wrong.length} of ${names.length} weights differ.`,
    where: dir,
    expected: list(wanted),
    received: list(found),
    next: 'give the options that the weights were trained with, or another folder',
  });
}

async function checkFinite(name: string, weight: Tensor, dir: string): Promise<void> {
  if (!(await weight.data()).every(Number.isFinite)) {
    throw new RobustError('WEIGHTS_NOT_FINITE', {
      message: `The weight '${name}' holds NaN or infinity.`,
      where: dir,
      next: 'train again with a lower learning rate',
    });
  }
}
