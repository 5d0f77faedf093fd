import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeContext } from '../../../core/testing/context.ts';
import type { ModelFile } from '../../../plugins/models/onnx/file.ts';
import { makeModel } from '../../../plugins/models/onnx/graph.ts';
import { Program } from '../../../plugins/models/onnx/program.ts';
import { ModelProtoSchema, TensorProtoSchema } from '../../../plugins/models/onnx/proto/onnx_pb.ts';
import { readTensor } from '../../../plugins/models/onnx/tensor.ts';
import { types } from '../../../plugins/models/onnx/types.ts';
import { IMAGE, SIZED, Value } from '../../../plugins/models/onnx/value.ts';
import { verifyCase } from '../../../plugins/models/onnx/verify.ts';

/** Model, inputs and outputs, as messages in base64: see fixtures/parity/generate/onnx_cases.py. */
type Packed = readonly [model: string, inputs: readonly string[], outputs: readonly string[]];

const path = fileURLToPath(new URL('../../../fixtures/parity/onnx-cases.json', import.meta.url));
const cases = Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, Packed>);

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));
const tensors = (texts: readonly string[]) =>
  texts.map((text) => readTensor(fromBinary(TensorProtoSchema, bytes(text))));

function fileOf(text: string): ModelFile {
  const model = fromBinary(ModelProtoSchema, bytes(text));
  return { path: 'case', bytes: bytes(text), model, read: (tensor) => readTensor(tensor) };
}

/** Runs every case twice, with tensors and with constants as inputs, and checks the gradient of those that have one. */
export function caseSuite(backend: string): void {
  beforeAll(async () => void (await makeContext({ backend })));
  describe(`operators on ${backend}`, () => {
    it.each(cases)('%s', (_, [model, inputs, outputs]) => {
      const read = () => ({ inputs: tensors(inputs), outputs: tensors(outputs) });
      const file = fileOf(model);
      expect(verifyCase(file, '', read).filter(({ passed }) => !passed)).toEqual([]);
      expect(verifyCase(file, '', read, [() => false]).filter(({ passed }) => !passed)).toEqual([]);
    });
    it.each(cases.filter(([name, packed]) => isSmooth(name, packed)))('gradient of %s', (name, packed) =>
      checkGradient(name, packed),
    );
  });
}

/** Steps, and straight-through gradients, have no slope that differences could show. */
const STEPS = /^(floor|ceil|round|sign|mod|fmod|quantize|thresholdedrelu|arg|cast)/;

function isSmooth(name: string, [, inputs, outputs]: Packed): boolean {
  const isFloat = (text: string) => fromBinary(TensorProtoSchema, bytes(text)).dataType === types.FLOAT;
  return inputs.length > 0 && isFloat(inputs[0]!) && isFloat(outputs[0]!) && !STEPS.test(name);
}

/** Slope of a random sum of the outputs along a random direction: by the gradient, and by a central difference. */
function checkGradient(name: string, [text, packed]: Packed): void {
  const model = makeModel(fileOf(text));
  const program = new Program(model, [model.graph.outputs[0]!.name], SIZED);
  const values = tensors(packed);
  const run = (x: Tensor) => {
    const given = model.graph.inputs.map((port, i) => {
      const value = i === 0 ? Value.of(x, types.FLOAT, IMAGE) : values[i]!;
      return [port.name, value] as const;
    });
    const y = program.run(new Map(given))[0]!.ordered;
    return tf.sum(tf.mul(y, tf.randomUniform(y.shape, -1, 1, 'float32', 1))) as Scalar;
  };
  tf.tidy(() => {
    const x = values[0]!.ordered;
    const direction = tf.randomUniform(x.shape, -1, 1, 'float32', 2);
    const step = 2e-3;
    const at = (factor: number) => run(tf.add(x, tf.mul(direction, factor * step))).dataSync()[0]!;
    const slope = (at(1) - at(-1)) / (2 * step);
    const gradient = tf.grad(run)(x);
    const wanted = tf.sum(tf.mul(gradient, direction)).dataSync()[0]!;
    const size = tf.sum(tf.abs(tf.mul(gradient, direction))).dataSync()[0]!;
    expect(gradient.shape).toEqual(x.shape);
    expect(Math.abs(slope - wanted), `${name}: ${slope} against ${wanted}`).toBeLessThan(0.01 * size + 1e-3);
  });
  program.dispose();
}
