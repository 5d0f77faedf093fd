import { tmpdir } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Step } from '../../../core/index.ts';
import { installGradients } from '../../../core/ops/index.ts';
import { resolveOptions } from '../../../core/registry/options.ts';
import { expectClose } from '../../../core/testing/close.ts';
import { difference, record } from '../../../plugins/backends/tensorflow/capture.ts';
import { fuse } from '../../../plugins/backends/tensorflow/fusion.ts';
import { hasAvx512 } from '../../../plugins/backends/tensorflow/filter-gradient.ts';
import {
  closeSession,
  openSession,
  reachable,
  type Graph,
} from '../../../plugins/backends/tensorflow/graph.ts';
import plugin from '../../../plugins/backends/tensorflow/index.ts';
import type { NativeBackend } from '../../../plugins/backends/tensorflow/native.ts';
import { sessionConfig } from '../../../plugins/backends/tensorflow/session.ts';

const nothing = () => undefined;
const log = { info: nothing, warn: nothing, debug: nothing };
const context = { log, signal: new AbortController().signal, cacheDir: tmpdir() };
const { available } = await plugin.probe(resolveOptions(plugin), context);
const native = () => tf.backend() as unknown as NativeBackend;

beforeAll(async () => {
  if (!available) return;
  installGradients();
  await plugin.start(resolveOptions(plugin), context);
});

const random = (seed: number, shape: [number, number, number, number]) =>
  tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', seed);

/** The gradient of a convolution with respect to its kernel. */
const kernelGradient: Step = (x, kernel) => [
  tf.grad((k) => tf.sum(tf.square(tf.conv2d(x as Tensor4D, k as Tensor4D, 1, 'same'))))(kernel!),
];

function run(graph: Graph, inputs: Tensor[]): Tensor[] {
  const { binding } = native();
  const session = openSession(graph, binding);
  const ids = native().getInputTensorIds([...inputs, ...session.held]);
  const made = binding.runSavedModel(session.id, ids, session.inputs, session.outputs);
  closeSession(session, binding);
  return made.map((metadata) => native().createOutputTensor(metadata));
}

const operators = (graph: Graph) => reachable(graph).map(({ op }) => op);

describe.runIf(available)('the kernel gradient of a convolution', () => {
  it.each([3, 20])('is made of matrix products where AVX-512 is missing: %i channels', (channels) => {
    const inputs = [random(1, [2, 9, 7, channels]), random(2, [3, 3, channels, 5])];
    const { graph, outputs } = record(native(), kernelGradient, inputs);
    const products = fuse(graph, native().binding, false);
    expect(operators(products)).not.toContain('Conv2DBackpropFilter');
    expectClose(run(products, inputs)[0]!, outputs[0]!, { rtol: 1e-4, atol: 1e-3 });
    expect(operators(fuse(graph, native().binding, true))).toContain('Conv2DBackpropFilter');
  });
});

describe.runIf(available)('the input gradient of a convolution of many channels', () => {
  const gradientOf = (kernel: Tensor4D, padding: 'same' | 'valid'): Step => {
    return (x) => [tf.grad((z) => tf.sum(tf.square(tf.conv2d(z as Tensor4D, kernel, 1, padding))))(x!)];
  };
  const kernel = () => random(2, [3, 3, 128, 96]);

  it.each(['same', 'valid'] as const)('goes by tiles, padding %s', (padding) => {
    const x = random(1, [2, 17, 14, 128]);
    const { graph, outputs } = record(native(), gradientOf(kernel(), padding), [x]);
    const tiled = fuse(graph, native().binding, false);
    expect(operators(tiled)).toContain('BatchMatMulV2');
    expect(operators(tiled)).not.toContain('Conv2DBackpropInput');
    expect(operators(fuse(graph, native().binding, true))).not.toContain('BatchMatMulV2');
    const size = tf.max(tf.abs(outputs[0]!)).dataSync()[0]!;
    expectClose(run(tiled, [x])[0]!, outputs[0]!, { rtol: 0, atol: 1e-5 * size });
  });

  it('keeps its transformed kernel until the step is disposed', async () => {
    const { compile } = await plugin.start(resolveOptions(plugin), context);
    const [x, weights] = [random(1, [2, 16, 16, 128]), kernel()];
    const before = tf.memory().numTensors;
    const step = compile!(gradientOf(weights, 'same'));
    const [first] = tf.tidy(() => step(x)) as [Tensor];
    const [second] = tf.tidy(() => step(x)) as [Tensor];
    expect(second.dataSync()).toEqual(first.dataSync());
    tf.dispose([first, second]);
    expect(tf.memory().numTensors).toBe(before + (hasAvx512() ? 0 : 1));
    step.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.runIf(available)('the input gradient of a convolution of joined channels', () => {
  it('is computed in parts', () => {
    const [a, b, kernel] = [random(1, [2, 9, 7, 3]), random(2, [2, 9, 7, 5]), random(3, [3, 3, 8, 4])];
    const value = (...parts: Tensor[]) =>
      tf.sum(tf.square(tf.conv2d(tf.concat(parts, 3) as Tensor4D, kernel, 1, 'same')));
    const step: Step = (...parts) => tf.grads(value as (...args: Tensor[]) => tf.Scalar)(parts);
    const { graph, outputs } = record(native(), step, [a, b]);
    const parted = fuse(graph, native().binding);
    expect(operators(graph)).toContain('SplitV');
    expect(operators(parted)).not.toContain('SplitV');
    const found = run(parted, [a, b]);
    for (const [i, output] of outputs.entries()) expectClose(found[i]!, output, { rtol: 1e-4, atol: 1e-4 });
  });
});

describe.runIf(available)('a second recording', () => {
  it('computes nothing', () => {
    const x = random(1, [1, 4, 4, 2]);
    const step: Step = (input) => [tf.relu(tf.add(tf.square(input!), 1))];
    const first = record(native(), step, [x]);
    const numbers = () => (tf.backend() as unknown as { getNumOfTFTensors(): number }).getNumOfTFTensors();
    const before = numbers();
    const same = tf.tidy(() => difference(first, record(native(), step, [x], first)));
    expect(same).toBeUndefined();
    const again = record(native(), step, [x], first);
    expect(again.outputs[0]!.shape).toEqual(x.shape);
    expect(numbers() - before).toBe(0);
  });
});

describe.runIf(available)('a session', () => {
  const convolution: Step = (x, kernel) => [tf.conv2d(x as Tensor4D, kernel as Tensor4D, 1, 'same')];
  const oneThread = (side: number, channels: number) => {
    const inputs = [random(1, [1, side, side, channels]), random(2, [3, 3, channels, channels])];
    const { graph } = record(native(), convolution, inputs);
    // Field 1 of two: `intra_op_parallelism_threads: 1`.
    return sessionConfig(graph, native().binding, true)?.slice(0, 2).join() === '16,1';
  };

  it('runs small convolutions on one thread, large ones on all', () => {
    expect([oneThread(16, 4), oneThread(128, 32)]).toEqual([true, false]);
  });
});
