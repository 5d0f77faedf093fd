import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { crossEntropy, type CompiledStep, type Engine, type Step } from '../../../core/index.ts';
import { installGradients } from '../../../core/ops/index.ts';
import { resolveOptions } from '../../../core/registry/options.ts';
import { expectClose } from '../../../core/testing/close.ts';
import { modelVariables, pack, trainingStep } from '../../../core/training/step.ts';
import plugin from '../../../plugins/backends/tensorflow/index.ts';

const remarks: string[] = [];
const log = {
  info: () => undefined,
  warn: () => undefined,
  debug: (line: string) => void remarks.push(line),
};
const context = { log, signal: new AbortController().signal, cacheDir: tmpdir() };
const options = resolveOptions(plugin);
const { available, detail } = await plugin.probe(options, context);

let engine: Engine;
const backend = () =>
  tf.backend() as unknown as {
    executeSingleOutput(...args: unknown[]): Tensor;
    getNumOfTFTensors(): number;
    getNumOfSavedModels(): number;
  };

beforeAll(async () => {
  if (!available) return;
  installGradients();
  engine = await plugin.start(options, context);
});

/** Compiles a step, requires that it was captured without a remark, and hands it on. */
function captured(step: Step, ...inputs: Tensor[]): CompiledStep {
  remarks.length = 0;
  const compiled = engine.compile!(step);
  tf.dispose(compiled(...inputs));
  expect(remarks).toEqual([]);
  return compiled;
}

/** Compares a captured step with the step itself and disposes it. */
function expectSame(step: Step, inputs: Tensor[], tolerance = { rtol: 1e-4, atol: 1e-5 }): void {
  const compiled = captured(step, ...inputs);
  const [actual, expected] = [compiled(...inputs), step(...inputs)];
  expect(actual.length).toBe(expected.length);
  actual.forEach((tensor, i) => expectClose(tensor, expected[i]!, tolerance));
  compiled.dispose();
}

const images = (seed: number, shape: [number, number, number, number] = [2, 16, 16, 1]) =>
  tf.randomUniform(shape, 0, 255, 'float32', seed);
const goals = (seed: number, count = 2) =>
  tf.cast(tf.greater(tf.randomUniform([count, 16, 16], 0, 1, 'float32', seed), 0.5), 'int32') as Tensor3D;

/** A small encoder and decoder with everything that a U-Net has, with or without batch normalisation. */
function network(batchNorm: boolean): tfl.LayersModel {
  let seed = 1;
  const normal = () => tfl.initializers.randomNormal({ mean: 0, stddev: 0.3, seed: seed++ });
  const positive = () => tfl.initializers.randomUniform({ minval: 0.5, maxval: 2, seed: seed++ });
  const block = (x: tfl.SymbolicTensor, filters: number) => {
    const conv = { filters, kernelSize: 3, padding: 'same' as const, kernelInitializer: normal() };
    const y = tfl.layers.conv2d({ ...conv, useBias: !batchNorm, biasInitializer: normal() }).apply(x);
    const statistics = { movingMeanInitializer: normal(), movingVarianceInitializer: positive() };
    const scale = { gammaInitializer: positive(), betaInitializer: normal() };
    const z = batchNorm ? tfl.layers.batchNormalization({ ...statistics, ...scale }).apply(y) : y;
    return tfl.layers.reLU().apply(z) as tfl.SymbolicTensor;
  };
  const input = tfl.input({ shape: [16, 16, 1] });
  const scaled = tfl.layers.rescaling({ scale: 1 / 255, offset: 0 }).apply(input) as tfl.SymbolicTensor;
  const skip = block(block(scaled, 4), 20);
  const deep = block(tfl.layers.maxPooling2d({ poolSize: 2 }).apply(skip) as tfl.SymbolicTensor, 24);
  const up = { filters: 8, kernelSize: 2, strides: 2, kernelInitializer: normal() };
  const raised = tfl.layers.conv2dTranspose(up).apply(deep) as tfl.SymbolicTensor;
  const joined = tfl.layers.concatenate().apply([skip, raised]) as tfl.SymbolicTensor;
  const logits = tfl.layers.conv2d({ filters: 2, kernelSize: 1, kernelInitializer: normal() });
  return tfl.model({ inputs: input, outputs: logits.apply(block(joined, 8)) as tfl.SymbolicTensor });
}

const logitsOf = (model: tfl.LayersModel, x: Tensor) => model.apply(x, { training: false }) as Tensor4D;

function attackStep(model: tfl.LayersModel): Step {
  return (x, goal) =>
    tf.tidy(() => {
      const loss = (z: Tensor) => crossEntropy(logitsOf(model, z), goal as Tensor3D);
      const gradient = tf.grad(loss)(x!);
      return [tf.clipByValue(tf.sub(x!, tf.sign(gradient)), 0, 255), gradient];
    });
}

describe.skipIf(!available)(
  `captured steps (tensorflow: ${available ? detail : `skipped, ${detail}`})`,
  () => {
    it.each([false, true])('compute what an attack step computes (batch norm: %s)', (batchNorm) => {
      const step = attackStep(network(batchNorm));
      const inputs = [images(1), goals(2)];
      const compiled = captured(step, ...inputs);
      const [[x, gradient], [wantedX, wanted]] = [compiled(...inputs), step(...inputs)];
      const size = tf.max(tf.abs(wanted!)).dataSync()[0]!;
      expectClose(gradient!, wanted!, { atol: 1e-5 * size });
      // A gradient that is zero but for rounding may have either sign.
      const flips = tf.sum(tf.cast(tf.notEqual(x!, wantedX!), 'int32')).dataSync()[0]!;
      expect(flips).toBeLessThan(0.01 * x!.size);
      compiled.dispose();
    });

    it('run as one native call', () => {
      const inputs = [images(1), goals(2)];
      const compiled = captured(attackStep(network(false)), ...inputs);
      const original = backend().executeSingleOutput;
      let operators = 0;
      backend().executeSingleOutput = (...args) => {
        operators++;
        return original.apply(backend(), args);
      };
      try {
        tf.dispose(compiled(...inputs));
      } finally {
        delete (backend() as Partial<ReturnType<typeof backend>>).executeSingleOutput;
      }
      expect(operators).toBe(0);
      compiled.dispose();
    });

    it.each([false, true])('train: weights go in and come out (batch norm: %s)', (batchNorm) => {
      const model = network(batchNorm);
      const loss = (outputs: readonly Tensor4D[], masks: Tensor3D) => crossEntropy(outputs[0]!, masks);
      const step = trainingStep({ model, loss }, 1e-4);
      const { trained, fixed } = modelVariables(model);
      const run = (compile: boolean): number[] => {
        remarks.length = 0;
        const take = compile ? engine.compile!(step) : step;
        const zeros = tf.zeros([start.size]);
        let state: Tensor[] = [start, zeros, zeros, ...(statistics ? [statistics] : [])];
        const losses = [];
        for (let i = 0; i < 5; i++) {
          const [value, ...next] = take(images(i), goals(i), tf.scalar(1e-3), tf.scalar(1), ...state);
          losses.push(value!.dataSync()[0]!);
          state = next;
        }
        expect(remarks).toEqual([]);
        return losses;
      };
      const start = pack(trained);
      const statistics = fixed.length > 0 ? pack(fixed) : undefined;
      const [eager, compiled] = [run(false), run(true)];
      expectClose(compiled, eager, { rtol: 1e-4 });
      expect(new Set(eager).size).toBe(5);
    });

    it('keep variables that are inputs as inputs, even where the step uses them directly', () => {
      const weight = tf.variable(tf.scalar(2));
      const compiled = captured((_w, x) => [tf.mul(weight, x!)], weight, tf.scalar(3));
      weight.assign(tf.scalar(5));
      expect(compiled(weight, tf.scalar(3))[0]!.dataSync()[0]).toBe(15);
      compiled.dispose();
    });

    it('tell an input from a constant that is the same tensor at the first call', () => {
      const start = tf.tensor1d([1, 2]);
      const compiled = captured((x, y) => [tf.add(tf.mul(x!, 10), tf.add(y!, start))], start, start);
      const [sum] = compiled(tf.tensor1d([3, 4]), tf.tensor1d([5, 6]));
      expect([...sum!.dataSync()]).toEqual([36, 48]);
      compiled.dispose();
    });

    it('take and give int32 and bool, several outputs, inputs and constants themselves', () => {
      const seven = tf.scalar(7);
      const step: Step = (x, mask) => [
        x!,
        tf.logicalNot(mask!),
        tf.where(mask!, x!, tf.zerosLike(x!)),
        seven,
        x!,
      ];
      const x = tf.tensor1d([1, -2, 3], 'int32');
      const compiled = captured(step, x, tf.tensor1d([true, false, true], 'bool'));
      const outputs = compiled(tf.tensor1d([4, 5, 6], 'int32'), tf.tensor1d([false, true, true], 'bool'));
      expect(outputs.map(({ dtype }) => dtype)).toEqual(['int32', 'bool', 'int32', 'float32', 'int32']);
      expect(outputs.map((tensor) => [...tensor.dataSync()])).toEqual([
        [4, 5, 6],
        [1, 0, 0],
        [0, 5, 6],
        [7],
        [4, 5, 6],
      ]);
      tf.dispose(outputs);
      expect(x.isDisposed || seven.isDisposed).toBe(false);
      compiled.dispose();
    });

    it('are captured for every shape', () => {
      const step: Step = (x) => [tf.sum(tf.square(x!), -1)];
      const compiled = captured(step, tf.ones([2, 3]));
      for (const shape of [[2, 3], [4], [1, 2, 5], [2, 3]]) {
        const x = tf.randomUniform(shape, 0, 1, 'float32', 3);
        expectClose(compiled(x)[0]!, step(x)[0]!, { rtol: 1e-6 });
      }
      expect(remarks).toEqual([]);
      compiled.dispose();
    });

    it('can be differentiated', () => {
      const compiled = captured((x) => [tf.square(x!)], tf.scalar(3));
      expect(
        tf
          .grad((x) => compiled(x)[0]!)(tf.scalar(3))
          .dataSync()[0],
      ).toBe(6);
      compiled.dispose();
    });

    it('give the same bytes twice, and each image the same whatever its companions', () => {
      const inputs = [images(1), goals(2)];
      const step = attackStep(network(true));
      const [first, second] = [captured(step, ...inputs), captured(step, ...inputs)];
      const bytes = (compiled: CompiledStep, x: Tensor, goal: Tensor) => compiled(x, goal)[1]!.dataSync();
      const alone = bytes(first, inputs[0]!, inputs[1]!);
      expect(bytes(first, inputs[0]!, inputs[1]!)).toEqual(alone);
      expect(bytes(second, inputs[0]!, inputs[1]!)).toEqual(alone);
      const reversed = inputs.map((tensor) => tf.reverse(tensor, 0)) as [Tensor4D, Tensor3D];
      const half = alone.length / 2;
      expect(bytes(first, ...reversed).slice(half)).toEqual(alone.slice(0, half));
      first.dispose();
      second.dispose();
    });
  },
);

describe.skipIf(!available)('steps that cannot be captured run as they are', () => {
  const state = { calls: 0 };
  const steps: Record<string, [string, Step]> = {
    'a step that reads its data': [
      'reads the values',
      (x) => [x!.dataSync()[0]! > 0 ? tf.add(x!, 1) : tf.sub(x!, 1)],
    ],
    'a step that reads what it computed': [
      'reads the values',
      (x) => [tf.fill([2], tf.square(x!).dataSync()[0]!)],
    ],
    'a step with unseeded random numbers': [
      'change from call to call',
      (x) => [tf.mul(x!, tf.randomUniform([4]))],
    ],
    'a step that draws natively': [
      'random',
      (x) => [tf.multinomial(tf.ones([1, 3]) as tf.Tensor2D, 4, 1), x!],
    ],
    'a step with a memory': ['change from call to call', (x) => [tf.mul(x!, state.calls++)]],
    'a step that takes turns': ['other operators', (x) => [state.calls++ % 2 ? tf.exp(x!) : tf.neg(x!)]],
  };

  test.each(Object.entries(steps))('%s', (_, [reason, step]) => {
    remarks.length = 0;
    const compiled = engine.compile!(step);
    const before = backend().getNumOfSavedModels();
    compiled(tf.tensor1d([1]));
    expect(remarks.join('\n')).toContain(reason);
    expect(remarks.join('\n')).toContain('operator by operator');
    expect(backend().getNumOfSavedModels()).toBe(before);
    compiled.dispose();
  });

  it('with right results', () => {
    const compiled = engine.compile!((x) => [x!.dataSync()[0]! > 0 ? tf.add(x!, 1) : tf.sub(x!, 1)]);
    const values = [1, -1, 2].map((value) => compiled(tf.scalar(value))[0]!.dataSync()[0]);
    expect(values).toEqual([2, -2, 3]);
  });

  it('a step that changes a variable it also reads', () => {
    const mean = tf.variable(tf.scalar(1));
    remarks.length = 0;
    const compiled = engine.compile!((x) => {
      mean.assign(tf.add(tf.mul(mean, 0.5), x!));
      return [tf.mul(x!, mean)];
    });
    compiled(tf.scalar(1));
    expect(remarks.join()).toContain('change from call to call');
  });
});

describe.skipIf(!available)('captured steps leave nothing behind', () => {
  it('no tensors, no memory', () => {
    const compiled = captured(attackStep(network(false)), images(1), goals(2));
    const inputs = [images(3), goals(4)];
    tf.dispose(compiled(...inputs));
    const [tensors, native] = [tf.memory().numTensors, backend().getNumOfTFTensors()];
    const run = (times: number) => {
      for (let i = 0; i < times; i++) tf.dispose(compiled(...inputs));
    };
    run(200);
    const before = process.memoryUsage.rss();
    run(500);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(backend().getNumOfTFTensors()).toBe(native);
    expect(process.memoryUsage.rss() - before).toBeLessThan(20e6);
    compiled.dispose();
  });

  it('no session after dispose, and no file at any time', () => {
    const files = () =>
      readdirSync(tmpdir()).filter((name) => name.startsWith(`robust-graph-${process.pid}-`));
    const [sessions, tensors] = [backend().getNumOfSavedModels(), tf.memory().numTensors];
    const x = tf.ones([3]);
    const compiled = captured((z) => [tf.exp(z!)], x);
    expect(backend().getNumOfSavedModels()).toBe(sessions + 1);
    expect(files()).toEqual([]);
    compiled.dispose();
    x.dispose();
    expect(backend().getNumOfSavedModels()).toBe(sessions);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

describe.skipIf(!available)('rewritten convolutions compute the same', () => {
  type Geometry = [kernel: [number, number], padding: 'same' | 'valid', dilation: number, channels: number];
  const geometries: Geometry[] = [
    [[3, 3], 'same', 1, 3],
    [[3, 3], 'same', 1, 16],
    [[3, 3], 'valid', 1, 3],
    [[3, 3], 'valid', 1, 17],
    [[1, 1], 'same', 1, 16],
    [[1, 1], 'valid', 1, 2],
    [[5, 3], 'same', 1, 16],
    [[2, 4], 'same', 1, 16],
    [[3, 3], 'same', 2, 3],
    [[3, 3], 'same', 3, 16],
  ];

  it.each(geometries)(
    'kernel %s, padding %s, dilation %s, %s channels',
    (size, padding, dilation, channels) => {
      const kernel = tf.randomNormal([...size, channels, 5], 0, 1, 'float32', 1) as Tensor4D;
      const x = tf.randomNormal([2, 11, 9, channels], 0, 1, 'float32', 2) as Tensor4D;
      const conv = (z: Tensor4D, k: Tensor4D) => tf.conv2d(z, k, 1, padding, 'NHWC', dilation);
      const value = (z: Tensor4D, k: Tensor4D) => tf.sum(tf.relu(tf.add(conv(z, k), 0.1)));
      expectSame((z) => [tf.grad((t) => value(t as Tensor4D, kernel))(z!)], [x]);
      expectSame((z, k) => tf.grads(value as (...args: Tensor[]) => tf.Scalar)([z!, k!]), [x, kernel]);
    },
  );
});
