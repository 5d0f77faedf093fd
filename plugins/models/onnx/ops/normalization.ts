import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Handler } from '../call.ts';
import { unsupported } from '../failure.ts';
import { channelsLast, normalAxis, type Value } from '../value.ts';
import type { Operators } from './support.ts';

/** x moved to mean 0 and deviation 1 along axes of the tensor. */
function standardised(x: Tensor, axes: number[], epsilon: number): Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  const variance = tf.mean(tf.square(centred), axes, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
}

/** With running statistics, as in inference: one factor and one offset for each channel. */
const batchNormalization: Handler = (call) => {
  if (call.int('training_mode', 0) === 1) {
    throw unsupported('A batch normalisation is in training mode.', {
      where: call.where,
      next: 'export the model in evaluation mode',
    });
  }
  const [x, scale, offset, mean, variance] = [0, 1, 2, 3, 4].map((index) => call.input(index)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const factor = scale.derive(`factor ${call.node.name}`, () =>
    tf.mul(scale.ordered, tf.rsqrt(tf.add(variance.ordered, call.float('epsilon', 1e-5)))),
  );
  const shift = offset.derive(`shift ${call.node.name}`, () =>
    tf.sub(offset.ordered, tf.mul(mean.ordered, factor)),
  );
  return call.image(tf.add(tf.mul(x.as(channelsLast(x.rank)), factor), shift));
};

const instanceNormalization: Handler = (call) => {
  const x = call.input(0);
  const axes = x.shape.slice(2).map((_, axis) => axis + 1);
  const y = standardised(x.as(channelsLast(x.rank)), axes, call.float('epsilon', 1e-5));
  return call.image(tf.add(tf.mul(y, call.input(1).ordered), call.input(2).ordered));
};

/** Groups of neighbouring channels share their statistics; before version 21 they share scale and bias too. */
const groupNormalization: Handler = (call) => {
  const x = call.input(0);
  const groups = call.int('num_groups', 1);
  const images = x.as(channelsLast(x.rank));
  const channels = x.shape[1]!;
  const split = tf.reshape(images, [...images.shape.slice(0, -1), groups, channels / groups]);
  const axes = [...x.shape.slice(2).map((_, axis) => axis + 1), split.rank - 1];
  const y = tf.reshape(standardised(split, axes, call.float('epsilon', 1e-5)), images.shape);
  const each = (index: number) => {
    const value = call.input(index).ordered;
    return value.size === channels
      ? value
      : tf.reshape(tf.tile(tf.expandDims(value, 1), [1, channels / groups]), [channels]);
  };
  return call.image(tf.add(tf.mul(y, each(1)), each(2)));
};

/** Over all axes from `axis` on. */
const layerNormalization: Handler = (call) => {
  const x = call.input(0);
  const from = normalAxis(call.int('axis', -1), x.rank);
  const axes = x.shape.slice(from).map((_, index) => index + from);
  const input = x.ordered;
  const epsilon = call.float('epsilon', 1e-5);
  const scaled = tf.mul(standardised(input, axes, epsilon), call.input(1).ordered);
  const y = call.value(call.has(2) ? tf.add(scaled, call.input(2).ordered) : scaled);
  if (call.node.outputs.length === 1) return y;
  const mean = tf.mean(input, axes, true);
  const variance = tf.mean(tf.square(tf.sub(input, mean)), axes, true);
  return [y, call.value(mean), call.value(tf.rsqrt(tf.add(variance, epsilon)))];
};

/** Before version 13 over all axes from `axis` on, flattened; since then over one. */
const softmax =
  (apply: (x: Tensor) => Tensor): Handler =>
  (call) => {
    const x = call.input(0);
    const axis = normalAxis(call.int('axis', call.opset < 13 ? 1 : -1), x.rank);
    if (call.opset < 13) {
      const rows = x.shape.slice(0, axis).reduce((product, side) => product * side, 1);
      return call.value(tf.reshape(apply(tf.reshape(x.ordered, [rows, -1])), [...x.shape]));
    }
    const order = [...x.order.filter((place) => place !== axis), axis];
    return call.value(apply(x.as(order)), { order });
  };

const lpNormalization: Handler = (call) => {
  const x = call.input(0);
  const place = x.place(call.int('axis', -1));
  const norm =
    call.int('p', 2) === 1 ? tf.sum(tf.abs(x.tensor), place, true) : length(x.tensor, [place], true);
  return x.with(tf.divNoNan(x.tensor, norm));
};

/** The Euclidean norm, whose gradient is 0 where it is 0. */
export function length(x: Tensor, axes: number[], keep: boolean): Tensor {
  return tf.sqrt(tf.maximum(tf.sum(tf.square(x), axes, keep), 1e-37));
}

/** What divides by a deviation, and what sums to 1. */
export const normalizations: Operators = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  LpNormalization: lpNormalization,
  Softmax: softmax((x) => tf.softmax(x)),
  LogSoftmax: softmax((x) => tf.logSoftmax(x)),
};
