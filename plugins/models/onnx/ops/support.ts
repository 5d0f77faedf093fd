import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { checkedShape } from '../failure.ts';
import { type Value } from '../value.ts';

/** A family of operators. */
export type Operators = Readonly<Record<string, Handler>>;

/** A function of each element: the axes may lie in any order. */
export const elementwise =
  (apply: (x: Tensor, call: Call) => Tensor): Handler =>
  (call) => {
    const x = call.input(0);
    return call.value(apply(x.tensor, call), { order: x.order });
  };

/** Values with axes in one order, that of the largest, so that they broadcast as ONNX says. */
export function aligned(
  values: readonly Value[],
  where: string,
): { tensors: Tensor[]; order: readonly number[] } {
  const rank = Math.max(...values.map((value) => value.rank));
  const [leader] = values.filter((value) => value.rank === rank).sort((a, b) => b.size - a.size);
  const shapes = values.map(({ shape }) => [...shape]);
  checkedShape(
    shapes.reduce((a, b) => tf.broadcast_util.assertAndGetBroadcastShape(a, b)),
    where,
  );
  return { tensors: values.map((value) => value.as(leader!.order)), order: leader!.order };
}

/** A function of two broadcast inputs. */
export const binary =
  (apply: (a: Tensor, b: Tensor, call: Call) => Tensor): Handler =>
  (call) => {
    const { tensors, order } = aligned([call.input(0), call.input(1)], call.where);
    return call.value(apply(tensors[0]!, tensors[1]!, call), { order });
  };

/** Multiplies one axis of x, of length N, by a constant matrix `[M,N]`. */
export function along(x: Tensor, axis: number, matrix: Tensor): Tensor {
  const { shape } = x;
  const [to, from] = matrix.shape as [number, number];
  const inner = tf.util.sizeFromShape(shape.slice(axis + 1));
  if (inner === 1)
    return tf.reshape(
      tf.matMul(tf.reshape(x, [-1, from]), matrix as tf.Tensor2D, false, true),
      shape.with(axis, to),
    );
  const product = tf.matMul(tf.reshape(matrix, [1, to, from]), tf.reshape(x, [-1, from, inner]));
  return tf.reshape(product, shape.with(axis, to));
}

/** Every step-th element of one axis, from the first. (Strided slices have no gradient in TensorFlow.js.) */
export function everyNth(x: Tensor, axis: number, step: number): Tensor {
  if (step === 1) return x;
  const { shape } = x;
  const count = Math.ceil(shape[axis]! / step);
  const padded = padAxis(x, axis, 0, count * step - shape[axis]!);
  const split = tf.reshape(padded, [...shape.slice(0, axis), count, step, ...shape.slice(axis + 1)]);
  return tf.squeeze(range(split, axis + 1, 0, 1), [axis + 1]);
}

/** Elements `from` to `to` of one axis. */
export function range(x: Tensor, axis: number, from: number, to: number): Tensor {
  if (from === 0 && to === x.shape[axis]) return x;
  const begin = x.shape.map((_, place) => (place === axis ? from : 0));
  return tf.slice(x, begin, x.shape.with(axis, to - from));
}

export function padAxis(x: Tensor, axis: number, before: number, after: number, value = 0): Tensor {
  if (before === 0 && after === 0) return x;
  const shape = x.shape.with(axis, x.shape[axis]! + before + after);
  checkedShape(shape);
  const amounts = x.shape.map((_, place): [number, number] => (place === axis ? [before, after] : [0, 0]));
  return tf.pad(x, amounts, value);
}
