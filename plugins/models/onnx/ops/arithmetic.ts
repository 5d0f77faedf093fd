import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Handler } from '../call.ts';
import { isNarrow, narrow } from '../narrow.ts';
import { dtypeOf, isFloat, rangeOf, types } from '../types.ts';
import { aligned, binary, elementwise, type Operators } from './support.ts';

/** Folds any number of broadcast inputs. */
const variadic =
  (apply: (a: Tensor, b: Tensor) => Tensor, finish = (sum: Tensor, _count: number) => sum): Handler =>
  (call) => {
    const { tensors, order } = aligned(call.given, call.where);
    return call.value(finish(tensors.reduce(apply), tensors.length), { order });
  };

/** Whole numbers are divided towards zero. */
const divide = (a: Tensor, b: Tensor) => {
  if (a.dtype !== 'int32') return tf.div(a, b);
  return tf.mul(tf.mul(tf.sign(a), tf.sign(b)), tf.floorDiv(tf.abs(a), tf.abs(b)));
};

const power: Handler = (call) => {
  const [base, exponent] = [call.input(0), call.input(1)];
  const constant = exponent.isPlain && exponent.size === 1 ? exponent.numbers[0] : undefined;
  if (constant === 2) return base.with(tf.square(base.tensor));
  if (constant === 0.5 && isFloat(base.type)) return base.with(tf.sqrt(base.tensor));
  const { tensors, order } = aligned([base, exponent], call.where);
  const floats = tensors.map((tensor) => tf.cast(tensor, 'float32'));
  const result = tf.pow(floats[0]!, floats[1]!);
  return call.value(tf.cast(isFloat(base.type) ? result : tf.round(result), base.tensor.dtype), { order });
};

/** With `fmod` the sign is that of the dividend, otherwise that of the divisor. */
const modulo = binary((a, b, call) => {
  if (call.int('fmod', 0) === 0) return tf.mod(a, b);
  const whole = divide(a, b);
  const quotient = a.dtype === 'int32' ? whole : tf.mul(tf.sign(whole), tf.floor(tf.abs(whole)));
  return tf.sub(a, tf.mul(quotient, b));
});

/** Whole numbers and floats compare as they are; truth values as 0 and 1. */
const comparison = (apply: (a: Tensor, b: Tensor) => Tensor): Handler =>
  binary((a, b) => (a.dtype === 'bool' ? apply(tf.cast(a, 'int32'), tf.cast(b, 'int32')) : apply(a, b)));

const where: Handler = (call) => {
  const { tensors, order } = aligned([call.input(0), call.input(1), call.input(2)], call.where);
  return call.value(tf.where(tensors[0]!, tensors[1]!, tensors[2]!), { order, type: call.input(1).type });
};

/** A change of type; whole numbers have no gradient. */
const cast: Handler = (call) => {
  const x = call.input(0);
  const type = call.has(1) ? call.input(1).type : call.int('to', types.FLOAT);
  const saturate = call.int('saturate', 1) === 1;
  return call.value(converted(x.tensor, type, saturate), { order: x.order, type });
};

function converted(x: Tensor, type: number, saturate: boolean): Tensor {
  if (type === types.BOOL) return tf.notEqual(x, tf.zerosLike(x));
  const y = tf.cast(x, dtypeOf(type));
  if (isNarrow(type)) return narrow(y, type, saturate);
  const range = rangeOf(type);
  if (!range || range[1] >= 2 ** 31 - 1) return y;
  // Fewer bits than the engine's whole numbers: what is beyond wraps.
  const whole = (value: number) => tf.scalar(value, 'int32');
  return tf.add(tf.mod(tf.sub(y, whole(range[0])), whole(range[1] - range[0] + 1)), whole(range[0]));
}

/** Arithmetic and logic of each element. */
export const arithmetic: Operators = {
  Add: binary((a, b) => tf.add(a, b)),
  Sub: binary((a, b) => tf.sub(a, b)),
  Mul: binary((a, b) => tf.mul(a, b)),
  Div: binary(divide),
  Pow: power,
  Mod: modulo,
  Sum: variadic((a, b) => tf.add(a, b)),
  Mean: variadic(
    (a, b) => tf.add(a, b),
    (sum, count) => tf.div(sum, count),
  ),
  Min: variadic((a, b) => tf.minimum(a, b)),
  Max: variadic((a, b) => tf.maximum(a, b)),
  Abs: elementwise((x) => tf.abs(x)),
  Neg: elementwise((x) => tf.neg(x)),
  Exp: elementwise((x) => tf.exp(x)),
  Log: elementwise((x) => tf.log(x)),
  Sqrt: elementwise((x) => tf.sqrt(x)),
  Reciprocal: elementwise((x) => tf.reciprocal(x)),
  Erf: elementwise((x) => tf.erf(x)),
  Sin: elementwise((x) => tf.sin(x)),
  Cos: elementwise((x) => tf.cos(x)),
  Floor: elementwise((x) => tf.floor(x)),
  Ceil: elementwise((x) => tf.ceil(x)),
  Round: elementwise((x) => tf.round(x)),
  Sign: elementwise((x) => tf.sign(x)),
  Equal: comparison((a, b) => tf.equal(a, b)),
  Greater: comparison((a, b) => tf.greater(a, b)),
  GreaterOrEqual: comparison((a, b) => tf.greaterEqual(a, b)),
  Less: comparison((a, b) => tf.less(a, b)),
  LessOrEqual: comparison((a, b) => tf.lessEqual(a, b)),
  Not: elementwise((x) => tf.logicalNot(x)),
  And: binary((a, b) => tf.logicalAnd(a, b)),
  Or: binary((a, b) => tf.logicalOr(a, b)),
  Xor: binary((a, b) => tf.logicalXor(a, b)),
  Where: where,
  Cast: cast,
  CastLike: cast,
};
