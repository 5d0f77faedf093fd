import * as tf from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { checkedShape, invalid } from '../failure.ts';
import { readTensor } from '../tensor.ts';
import { types } from '../types.ts';
import { FIXED, Value, type Level } from '../value.ts';
import type { Operators } from './support.ts';

const constant: Handler = (call) => {
  const tensor = call.attribute('value')?.t;
  if (tensor) return readTensor(tensor);
  const { FLOAT, INT64 } = types;
  for (const [name, type] of [
    ['value_float', FLOAT],
    ['value_int', INT64],
  ] as const) {
    const found = call.attribute(name);
    if (found) return call.constant([type === FLOAT ? found.f : Number(found.i)], [], type);
  }
  const floats = call.attribute('value_floats')?.floats;
  if (floats) return call.constant(floats, [floats.length], FLOAT);
  const ints = call.ints('value_ints');
  if (ints) return call.constant(ints, [ints.length], INT64);
  throw invalid('A constant has no value that is read.', { where: call.where });
};

/** Sizes do not depend on what an image shows; of a batch of any size they are known once it is there. */
function sizes(call: Call, numbers: readonly number[], shape: readonly number[]): Value {
  const level = Math.min(call.input(0).level, call.shapeLevel) as Level;
  return call.constant(numbers, shape, types.INT64, level);
}

const shape: Handler = (call) => {
  const { shape: all, rank } = call.input(0);
  const bound = (value: number) => Math.max(0, Math.min(rank, value < 0 ? value + rank : value));
  const part = all.slice(bound(call.int('start', 0)), bound(call.int('end', rank)));
  return sizes(call, part, [part.length]);
};

/** Few numbers stay numbers, so that shapes can be made of them. */
const FEW = 4096;

const constantOfShape: Handler = (call) => {
  const wanted = checkedShape(call.numbers(0), call.where);
  const proto = call.attribute('value')?.t;
  const value = proto ? readTensor(proto) : Value.numbers([0], [1], types.FLOAT, FIXED);
  const size = wanted.reduce((product, side) => product * side, 1);
  if (size <= FEW) return call.constant(Array<number>(size).fill(value.numbers[0]!), wanted, value.type);
  return call.value(tf.fill(wanted, value.numbers[0]!, value.tensor.dtype as 'float32'), {
    type: value.type,
  });
};

const rangeOf: Handler = (call) => {
  const [start, limit, delta] = [call.numbers(0)[0]!, call.numbers(1)[0]!, call.numbers(2)[0]!];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  checkedShape([count], call.where);
  return call.constant(
    Array.from({ length: count }, (_, index) => start + index * delta),
    [count],
    call.input(0).type,
  );
};

/** Makes values of nothing, or of shapes. */
export const constants: Operators = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shape,
  Size: (call) => sizes(call, [call.input(0).size], []),
  Range: rangeOf,
  /** The branch is chosen once; both must not depend on the images. */
  If: (call) => call.run(call.graph(call.numbers(0)[0] ? 'then_branch' : 'else_branch')),
};
