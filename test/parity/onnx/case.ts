import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import * as tf from '@tensorflow/tfjs-core';
import { readModelFile } from '../../../plugins/models/onnx/file.ts';
import { makeModel } from '../../../plugins/models/onnx/graph.ts';
import { Program } from '../../../plugins/models/onnx/program.ts';
import { TensorProtoSchema } from '../../../plugins/models/onnx/proto/onnx_pb.ts';
import { readTensor } from '../../../plugins/models/onnx/tensor.ts';
import { isFloat } from '../../../plugins/models/onnx/types.ts';
import { FIXED, IMAGE, SIZED, Value, type Level } from '../../../plugins/models/onnx/value.ts';

/** One folder of the standard layout: `model.onnx` and `test_data_set_N/{input,output}_K.pb`. */
export function runCase(dir: string): string[] {
  return sets(dir).flatMap((set) => {
    const inputs = values(join(dir, set), 'input');
    const outputs = values(join(dir, set), 'output');
    return [
      ...compare(dir, inputs, outputs, FIXED).map((text) => `${set}, constant inputs: ${text}`),
      ...compareTensors(dir, inputs, outputs).map((text) => `${set}, tensor inputs: ${text}`),
    ];
  });
}

function sets(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('test_data_set_'));
}

function values(dir: string, kind: string): Value[] {
  const found: Value[] = [];
  for (let k = 0; existsSync(join(dir, `${kind}_${k}.pb`)); k++) {
    found.push(readTensor(fromBinary(TensorProtoSchema, readFileSync(join(dir, `${kind}_${k}.pb`)))));
  }
  return found;
}

/** Values come as tensors, as images do; whole numbers stay constants where an operator needs to know them. */
function compareTensors(dir: string, inputs: readonly Value[], outputs: readonly Value[]): string[] {
  const all = compare(dir, inputs, outputs, IMAGE);
  if (!all.some((text) => text.includes('depend on what the image shows'))) return all;
  const dynamic = inputs.filter(({ type }) => isFloat(type));
  return compare(
    dir,
    inputs,
    outputs,
    IMAGE,
    (value, index) => (index === 0 || dynamic.indexOf(value) >= 0) && value.rank > 0,
  );
}

function compare(
  dir: string,
  inputs: readonly Value[],
  outputs: readonly Value[],
  level: Level,
  isTensor = (_: Value, _index: number) => level !== FIXED,
): string[] {
  try {
    const model = makeModel(readModelFile(join(dir, 'model.onnx')));
    const names = model.graph.outputs.map(({ name }) => name);
    const program = new Program(model, names, SIZED);
    const problems = tf.tidy(() => {
      const given = new Map(
        model.graph.inputs.map(({ name }, k) => {
          const value = inputs[k]!;
          return [
            name,
            isTensor(value, k) ? Value.of(tf.clone(value.tensor), value.type, level) : value,
          ] as const;
        }),
      );
      return program.run(given).flatMap((value, k) => difference(value, outputs[k]));
    });
    program.dispose();
    return problems;
  } catch (error) {
    return [
      (error as Error).message
        .split('\n')
        .filter((line) => !line.includes('next:'))
        .join(' '),
    ];
  }
}

function difference(got: Value, wanted: Value | undefined): string[] {
  if (!wanted) return [];
  if (String(got.shape) !== String(wanted.shape))
    return [`shape [${got.shape}] instead of [${wanted.shape}]`];
  const [a, b] = [got.isPlain ? got.numbers : got.ordered.dataSync(), wanted.numbers];
  const worst = Math.max(0, ...Array.from(b, (value, i) => gap(a[i]!, value)));
  const wrong = Array.from(b).filter((value, i) => gap(a[i]!, value) > 1e-7 + 1e-3 * Math.abs(value)).length;
  return wrong === 0
    ? []
    : [
        `${wrong} of ${b.length} values differ, by up to ${worst}: ${Array.from(a).slice(0, 5)} for ${Array.from(b).slice(0, 5)}`,
      ];
}

function gap(a: number, b: number): number {
  if (Number.isNaN(a) && Number.isNaN(b)) return 0;
  return a === b ? 0 : Math.abs(a - b);
}
