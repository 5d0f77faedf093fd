import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { types } from '../types.ts';
import { inOrder, normalAxis, type Value } from '../value.ts';
import { length } from './normalization.ts';
import type { Operators } from './support.ts';

type Reduce = (x: Tensor, axes: number[], keep: boolean) => Tensor;

/** The axes of a reduction: an attribute, since version 13 or 18 an input; without them all, or none at all. */
export function reducedAxes(call: Call, { rank }: Value): number[] {
  const given = call.listed(1, 'axes') ?? [];
  if (given.length > 0) return given.map((axis) => normalAxis(axis, rank));
  return call.int('noop_with_empty_axes', 0) === 1 ? [] : inOrder(rank);
}

const reduction =
  (apply: Reduce): Handler =>
  (call) => {
    const x = call.input(0);
    const axes = reducedAxes(call, x);
    const keep = call.int('keepdims', 1) === 1;
    const y = apply(
      x.tensor,
      axes.map((axis) => x.order.indexOf(axis)),
      keep,
    );
    if (keep) return call.value(y, { order: x.order });
    // The axes that are left, counted anew.
    const left = inOrder(x.rank).filter((axis) => !axes.includes(axis));
    return call.value(y, {
      order: x.order.filter((axis) => left.includes(axis)).map((axis) => left.indexOf(axis)),
    });
  };

/** Truth values are ordered too. */
const ordered =
  (apply: Reduce): Reduce =>
  (x, axes, keep) =>
    x.dtype === 'bool' ? tf.cast(apply(tf.cast(x, 'int32'), axes, keep), 'bool') : apply(x, axes, keep);

const logSumExp: Reduce = (x, axes, keep) => tf.logSumExp(x, axes, keep);

/** Factor by factor: the engine's own product has a wrong gradient on some backends. */
const product: Reduce = (x, axes, keep) => {
  const y = axes.reduce((value, axis) => {
    if (value.shape[axis] === 0) return tf.ones(value.shape.with(axis, 1), value.dtype as 'float32');
    const factors = tf.unstack(value, axis).reduce((a, b) => tf.mul(a, b));
    return tf.expandDims(factors, axis);
  }, x);
  return keep || axes.length === 0 ? y : tf.squeeze(y, axes);
};

const extremeIndex =
  (apply: (x: Tensor, axis: number) => Tensor): Handler =>
  (call) => {
    const x = call.input(0);
    const axis = normalAxis(call.int('axis', 0), x.rank);
    const tensor = x.ordered;
    const last = call.int('select_last_index', 0) === 1;
    const found = apply(last ? tf.reverse(tensor, axis) : tensor, axis);
    const index = last ? tf.sub(tf.scalar(x.shape[axis]! - 1, 'int32'), found) : found;
    return call.value(call.int('keepdims', 1) === 1 ? tf.expandDims(index, axis) : index, {
      type: types.INT64,
    });
  };

/** What makes one value of many along axes. */
export const reductions: Operators = {
  ReduceMean: reduction((x, axes, keep) => tf.cast(tf.mean(x, axes, keep), x.dtype)),
  ReduceSum: reduction((x, axes, keep) => tf.sum(x, axes, keep)),
  ReduceMax: reduction(ordered((x, axes, keep) => tf.max(x, axes, keep))),
  ReduceMin: reduction(ordered((x, axes, keep) => tf.min(x, axes, keep))),
  ReduceProd: reduction(product),
  ReduceL1: reduction((x, axes, keep) => tf.sum(tf.abs(x), axes, keep)),
  ReduceL2: reduction((x, axes, keep) => tf.cast(length(tf.cast(x, 'float32'), axes, keep), x.dtype)),
  ReduceSumSquare: reduction((x, axes, keep) => tf.sum(tf.square(x), axes, keep)),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: extremeIndex((x, axis) => tf.argMax(x, axis)),
  ArgMin: extremeIndex((x, axis) => tf.argMin(x, axis)),
};
