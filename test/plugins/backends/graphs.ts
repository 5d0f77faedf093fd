import { tmpdir } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { installGradients } from '../../../core/ops/index.ts';
import { resolveOptions } from '../../../core/registry/options.ts';
import {
  closeSession,
  openSession,
  reachable,
  type Graph,
} from '../../../plugins/backends/tensorflow/graph.ts';
import plugin from '../../../plugins/backends/tensorflow/index.ts';
import type { NativeBackend } from '../../../plugins/backends/tensorflow/native.ts';

const nothing = () => undefined;
const log = { info: nothing, warn: nothing, debug: nothing };
const context = { log, signal: new AbortController().signal, cacheDir: tmpdir() };

/** Starts native TensorFlow; false where it is not installed. */
export async function startNative(): Promise<boolean> {
  const { available } = await plugin.probe(resolveOptions(plugin), context);
  if (!available) return false;
  installGradients();
  await plugin.start(resolveOptions(plugin), context);
  return true;
}

export const native = () => tf.backend() as unknown as NativeBackend;

export const random = (seed: number, shape: [number, number, number, number]) =>
  tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', seed);

export function run(graph: Graph, inputs: Tensor[]): Tensor[] {
  const { binding } = native();
  const session = openSession(graph, binding);
  const ids = native().getInputTensorIds(inputs);
  const made = binding.runSavedModel(session.id, ids, session.inputs, session.outputs);
  closeSession(session, binding);
  return made.map((metadata) => native().createOutputTensor(metadata));
}

export const operators = (graph: Graph) => reachable(graph).map(({ op }) => op);
