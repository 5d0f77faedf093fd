import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { StepCache, tensorflow } from '../core/engine.ts';
import { inverseMask } from '../core/gradients/losses.ts';
import { buildNetwork, type Network } from '../core/models/network.ts';
import { networkSegmenter } from '../core/models/segmenter.ts';
import { loadWeights } from '../core/models/weights.ts';
import type { Engine, NetworkPlugin } from '../core/plugin.ts';
import { makeRandom } from '../core/random.ts';
import { Registry } from '../core/registry/index.ts';
import { backendContext } from '../core/testing/context.ts';
import type { Batch } from '../core/training/batches.ts';
import type { Context, Segmenter } from '../core/vocabulary.ts';
import type { Case } from './cases.ts';

export const bundledPlugins = new URL('../plugins/', import.meta.url);
export const registry = new Registry({ bundledPlugins, baseDir: process.cwd() });
export const CLASSES = ['background', 'lung'];
export const DOMAIN = { low: 0, high: 255, step: 1 };

/** A network on the running backend, with its weights and one batch. */
export interface Subject {
  readonly network: Network;
  readonly segmenter: Segmenter;
  readonly engine: Engine;
  readonly steps: StepCache;
  readonly batch: Batch;
  readonly shape: readonly [count: number, height: number, width: number, channels: number];
  readonly x: Tensor4D;
  readonly goal: Tensor3D;
  dispose(): void;
}

/** The network of a case with freshly drawn weights. */
export async function buildCase({
  model,
  defenses,
  side,
}: Pick<Case, 'model' | 'defenses' | 'side'>): Promise<Network> {
  const open = async (name: string) => registry.open('defense', name, { path: '' });
  const { plugin, options } = await registry.open('model', model, { path: '' });
  const request = { height: side, width: side, channels: 1, classes: CLASSES, domain: DOMAIN };
  const context: Context = { ...backendContext(), tf: tensorflow, baseDir: '', random: makeRandom(1) };
  return buildNetwork(
    plugin as NetworkPlugin,
    options,
    await Promise.all(defenses.map(open)),
    request,
    context,
  );
}

export async function openSubject(wanted: Case, engine: Engine): Promise<Subject> {
  const { dir, side, batch: count } = wanted;
  const network = await buildCase(wanted);
  await loadWeights(network.model, dir);
  const segmenter = await networkSegmenter(network);
  const shape = [count, side, side, 1] as const;
  const pixels = count * side * side;
  const images = new Float32Array((await bytes(join(dir, 'images.f32'))).slice(0, 4 * pixels));
  const masks = new Int32Array((await bytes(join(dir, 'masks.i32'))).slice(0, 4 * pixels));
  const x = tf.tensor4d(images, [...shape]);
  const goal = tf.tidy(() => inverseMask(tf.tensor3d(masks, [count, side, side], 'int32'), CLASSES.length));
  const steps = new StepCache(engine);
  const dispose = () => {
    steps.dispose();
    segmenter.dispose();
    tf.dispose([x, goal]);
  };
  return { network, segmenter, engine, steps, batch: { images, masks }, shape, x, goal, dispose };
}

async function bytes(file: string): Promise<ArrayBuffer> {
  return new Uint8Array(await readFile(file)).buffer;
}
