import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import * as tf from '@tensorflow/tfjs-core';
import type { VerifiedOutput } from '../../../core/index.ts';
import { invalid } from './failure.ts';
import type { ModelFile } from './file.ts';
import { makeModel } from './graph.ts';
import { Program } from './program.ts';
import { TensorProtoSchema } from './proto/onnx_pb.ts';
import { readTensor } from './tensor.ts';
import { isFloat } from './types.ts';
import { IMAGE, NotConstant, SIZED, Value } from './value.ts';

/** Which inputs of a case come as tensors, as images do; the others are constants. */
export type Feed = (value: Value, index: number) => boolean;

/** From what a network is given to what an operator may need to know beforehand: sizes, scales, positions. */
const feeds: readonly Feed[] = [
  () => true,
  ({ type, rank }, index) => index === 0 && rank > 0 && isFloat(type),
  () => false,
];

/** Inputs and the outputs that belong to them. */
export interface TestCase {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/**
 * Runs the test cases of a folder in the standard layout: `test_data_set_N/input_K.pb` and `output_K.pb`.
 *
 * @throws RobustError MODEL_FILE_INVALID where there are none, and whatever the model throws.
 */
export function verifyFolder(file: ModelFile, dir: string, tried = feeds): VerifiedOutput[] {
  const sets = existsSync(dir) ? readdirSync(dir).filter((name) => name.startsWith('test_data_set_')) : [];
  if (sets.length === 0) {
    const expected = 'folders test_data_set_0, test_data_set_1, ...';
    throw invalid('There are no test cases.', { where: dir, expected, next: 'check the folder' });
  }
  return sets.sort().flatMap((set) => {
    const read = () => readCase(join(dir, set));
    return verifyCase(file, set, read, tried);
  });
}

/** Runs one case, with the first way of feeding it that does not need to know what an image holds. */
export function verifyCase(
  file: ModelFile,
  set: string,
  read: () => TestCase,
  tried = feeds,
): VerifiedOutput[] {
  const [feed, ...rest] = tried;
  try {
    return runCase(file, set, read(), feed!);
  } catch (error) {
    if (rest.length > 0 && (error as Error).cause instanceof NotConstant)
      return verifyCase(file, set, read, rest);
    throw error;
  }
}

function runCase(file: ModelFile, set: string, { inputs, outputs }: TestCase, feed: Feed): VerifiedOutput[] {
  const model = makeModel(file);
  const names = model.graph.outputs.map(({ name }) => name);
  const program = new Program(model, names, SIZED);
  tf.engine().startScope();
  try {
    const given = model.graph.inputs.map(
      ({ name }, index) => [name, fed(inputs[index], name, index, feed)] as const,
    );
    const values = program.run(new Map(given));
    return values.flatMap((value, index) => compare(set, names[index]!, value, outputs[index]));
  } finally {
    tf.engine().endScope();
    program.dispose();
  }
}

function readCase(folder: string): TestCase {
  return { inputs: readValues(folder, 'input'), outputs: readValues(folder, 'output') };
}

function readValues(folder: string, kind: string): Value[] {
  const values: Value[] = [];
  for (let index = 0; existsSync(join(folder, `${kind}_${index}.pb`)); index++) {
    values.push(readTensor(fromBinary(TensorProtoSchema, readFileSync(join(folder, `${kind}_${index}.pb`)))));
  }
  return values;
}

function fed(value: Value | undefined, name: string, index: number, feed: Feed): Value {
  if (!value)
    throw invalid('A test case has no value for an input.', {
      where: `input '${name}'`,
      next: 'check the folder',
    });
  return feed(value, index) ? Value.of(tf.clone(value.tensor), value.type, IMAGE) : value;
}

/** Close as the tests of ONNX want it, and to the rounding of the largest value. */
function compare(set: string, output: string, got: Value, wanted: Value | undefined): VerifiedOutput[] {
  if (!wanted) return [];
  if (String(got.shape) !== String(wanted.shape))
    return [{ set, output, difference: Infinity, passed: false }];
  const [a, b] = [got.isPlain ? got.numbers : got.ordered.dataSync(), Array.from(wanted.numbers)];
  const largest = b.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    0,
  );
  const gaps = b.map((value, index) => gap(a[index]!, value));
  const passed = gaps.every(
    (each, index) => each <= 1e-7 + 1e-3 * Math.abs(b[index]!) + 1e-5 * largest || each === 0,
  );
  return [{ set, output, difference: gaps.reduce((most, each) => Math.max(most, each), 0), passed }];
}

function gap(a: number, b: number): number {
  return a === b || (Number.isNaN(a) && Number.isNaN(b)) ? 0 : Math.abs(a - b);
}
