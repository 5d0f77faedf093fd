import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { unsupported } from '../failure.ts';
import { isNarrow, narrow } from '../narrow.ts';
import { rangeOf, typeName, types } from '../types.ts';
import { normalAxis, type Value } from '../value.ts';
import type { Operators } from './support.ts';

/** Rounds, and lets the gradient through as if it did not. */
const roundStraight = tf.customGrad((x) => ({ value: tf.round(x as Tensor), gradFunc: (dy: Tensor) => dy }));

/** Scale and zero point, shaped to fit: for the whole tensor, for each place of one axis, or for blocks along it. */
function spreadOver(call: Call, index: number, x: Value): Tensor {
  const value = call.input(index);
  const tensor = tf.cast(value.ordered, 'float32');
  if (value.size === 1) return tf.reshape(tensor, []);
  const axis = normalAxis(call.int('axis', 1), x.rank);
  const block = call.int('block_size', 0);
  if (block === 0)
    return tf.reshape(
      tensor,
      x.shape.map((side, place) => (place === axis ? side : 1)),
    );
  const repeated = tf.tile(tf.expandDims(tensor, axis + 1), [
    ...value.shape.map(() => 1).toSpliced(axis + 1, 0, block),
  ]);
  const whole = tf.reshape(repeated, value.shape.with(axis, value.shape[axis]! * block) as number[]);
  return tf.slice(
    whole,
    x.shape.map(() => 0),
    [...x.shape],
  );
}

const quantize: Handler = (call) => {
  const x = call.input(0);
  const type = call.has(2) ? call.input(2).type : call.int('output_dtype', 0) || types.UINT8;
  if (isNarrow(type))
    return call.value(narrow(tf.div(x.ordered, spreadOver(call, 1, x)), type, true), { type });
  const bounds = rangeOf(type);
  if (!bounds)
    throw unsupported('A quantisation to this type is not computed.', {
      where: call.where,
      received: typeName(type),
    });
  const scaled = roundStraight(tf.div(x.ordered, spreadOver(call, 1, x)));
  const shifted = call.has(2) ? tf.add(scaled, spreadOver(call, 2, x)) : scaled;
  // Whole numbers kept as floats, so that the gradient goes on.
  return call.value(tf.clipByValue(shifted, ...bounds), { type });
};

const dequantize: Handler = (call) => {
  const x = call.input(0);
  const numbers = tf.cast(x.ordered, 'float32');
  const shifted = call.has(2) ? tf.sub(numbers, spreadOver(call, 2, x)) : numbers;
  return call.value(tf.mul(shifted, spreadOver(call, 1, x)), { type: call.input(1).type });
};

/** Quantised networks, with a gradient that passes the rounding straight through. */
export const quantizations: Operators = { QuantizeLinear: quantize, DequantizeLinear: dequantize };
