import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { checkedShape, invalid, unsupported } from '../failure.ts';
import { channelsLast, type Value } from '../value.ts';
import { everyNth, padAxis, range, type Operators } from './support.ts';

type Pair = [number, number];

/** Geometry of a sliding window over rows and columns. */
export interface Window {
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Before and after, for rows and columns. */
  readonly pads: [Pair, Pair];
}

/** One axis becomes a column of height 1. */
function asRows(values: readonly number[], unit: number): Pair {
  return values.length === 1 ? [unit, values[0]!] : [values[0]!, values[1]!];
}

/**
 * The window of a node along some spatial axes, one or two, of an input with these sides; `auto_pad` becomes amounts.
 */
export function windowOf(
  call: Call,
  kernel: readonly number[],
  input: readonly number[],
  axes: readonly number[] = kernel.map((_, axis) => axis),
): Window {
  const rank = axes.length;
  if (rank < 1 || rank > 2) throw tooManyAxes(call.where, kernel.length);
  const chosen = (name: string) => axes.map((axis) => (call.ints(name) ?? [])[axis] ?? 1);
  const [strides, dilations] = [chosen('strides'), chosen('dilations')];
  const size = axes.map((axis) => kernel[axis] ?? 0);
  const sides = axes.map((axis) => input[axis] ?? 0);
  const given = call.ints('pads') ?? [...kernel, ...kernel].map(() => 0);
  const mode = call.text('auto_pad', 'NOTSET');
  const pads = axes.map((axis, index): Pair => {
    if (mode === 'NOTSET') return [given[axis]!, given[axis + kernel.length]!];
    if (mode === 'VALID') return [0, 0];
    const extent = (size[index]! - 1) * dilations[index]! + 1;
    const last = (Math.ceil(sides[index]! / strides[index]!) - 1) * strides[index]!;
    return halves(Math.max(0, last + extent - sides[index]!), mode);
  });
  const positive = [...size, ...strides, ...dilations].every(
    (value) => Number.isInteger(value) && value >= 1,
  );
  if (!positive || !pads.flat().every((pad) => pad >= 0)) {
    const received = JSON.stringify({ size, strides, dilations, pads });
    throw invalid('The window of an operator makes no sense.', { where: call.where, received });
  }
  checkedShape(
    sides.map((side, axis) => side + pads[axis]![0] + pads[axis]![1]),
    call.where,
  );
  return {
    size: asRows(size, 1),
    strides: asRows(strides, 1),
    dilations: asRows(dilations, 1),
    pads: rank === 1 ? [[0, 0], pads[0]!] : [pads[0]!, pads[1]!],
  };
}

/** `total` in two: the rest goes behind with `SAME_UPPER`, otherwise before. */
function halves(total: number, mode: string): Pair {
  const less = Math.floor(total / 2);
  return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
}

function tooManyAxes(where: string | undefined, axes: number): Error {
  const received = `${axes} spatial axes`;
  return unsupported('Only one and two spatial axes are computed.', { ...(where && { where }), received });
}

/** An input as `[N,H,W,C]`; a signal `[N,C,L]` as an image of one row. */
export function asImages(x: Value): Tensor4D {
  if (x.rank < 3 || x.rank > 4) throw tooManyAxes(undefined, x.rank - 2);
  const tensor = x.as(channelsLast(x.rank));
  return (x.rank === 3 ? tf.expandDims(tensor, 1) : tensor) as Tensor4D;
}

/** A result of the rank of the input. */
export function fromImages(call: Call, y: Tensor, rank: number): Value {
  return call.image(rank === 3 ? tf.squeeze(y, [1]) : y);
}

/** Weights `[M,C,...]` as `[H,W,C,M]`. */
function filterOf(weights: Value): Tensor4D {
  return weights.derive('filter', () => {
    const images = weights.rank === 3 ? tf.expandDims(weights.ordered, 2) : weights.ordered;
    return tf.transpose(images, [2, 3, 1, 0]);
  }) as Tensor4D;
}

const conv: Handler = (call) => {
  const [x, weights] = [call.input(0), call.input(1)];
  if (x.rank !== weights.rank)
    throw invalid('Weights and input have different ranks.', { where: call.where });
  const window = windowOf(call, weights.shape.slice(2), x.shape.slice(2));
  const groups = call.int('group', 1);
  const [outputs, perGroup] = weights.shape as [number, number];
  if (perGroup * groups !== x.shape[1] || outputs % groups !== 0) {
    throw invalid('The channels of a convolution do not fit.', {
      where: call.where,
      expected: `${perGroup * groups} channels in ${groups} groups`,
      received: `${x.shape[1]} channels, ${outputs} outputs`,
    });
  }
  const images = asImages(x);
  const bias = call.has(2) ? (call.input(2).ordered as Tensor1D) : undefined;
  if (groups === 1) return fromImages(call, plain(images, filterOf(weights), window, bias), x.rank);
  const y =
    perGroup === 1 ? depthwise(images, weights, groups, window) : grouped(images, weights, groups, window);
  return fromImages(call, bias ? tf.add(y, bias) : y, x.rank);
};

/** A convolution without groups. TensorFlow.js has no stride together with a dilation: then stride 1 is thinned out. */
function plain(x: Tensor4D, filter: Tensor4D, window: Window, bias?: Tensor1D): Tensor {
  const { strides, dilations } = window;
  const both = Math.max(...strides) > 1 && Math.max(...dilations) > 1;
  const step: Pair = both ? [1, 1] : strides;
  const pad = paddingFor(x, { ...window, strides: step });
  const args = { x, filter, strides: step, dilations, pad, dataFormat: 'NHWC' as const };
  // The gradient of the fused kernel is that of a convolution without bias, plus nothing.
  const y = bias ? tf.fused.conv2d({ ...args, bias }) : tf.conv2d(x, filter, step, pad, 'NHWC', dilations);
  return both ? everyNth(everyNth(y, 1, strides[0]), 2, strides[1]) : y;
}

/** Padding by name where that is what the amounts say: engines are faster at it. */
function paddingFor(
  x: Tensor4D,
  { size, strides, dilations, pads }: Window,
): 'valid' | 'same' | tf.backend_util.ExplicitPadding {
  if (pads.flat().every((pad) => pad === 0)) return 'valid';
  const same = [0, 1].every((axis) => {
    const side = x.shape[axis + 1]!;
    const extent = (size[axis]! - 1) * dilations[axis]! + 1;
    const total = Math.max(0, (Math.ceil(side / strides[axis]!) - 1) * strides[axis]! + extent - side);
    const [before, after] = pads[axis]!;
    return before === Math.floor(total / 2) && after === total - before;
  });
  return same ? 'same' : [[0, 0], pads[0], pads[1], [0, 0]];
}

function grouped(x: Tensor4D, weights: Value, groups: number, window: Window): Tensor {
  const filters = tf.split<Tensor4D>(filterOf(weights), groups, 3);
  const parts = tf.split<Tensor4D>(x, groups, 3);
  return tf.concat(
    parts.map((part, g) => plain(part, filters[g]!, window)),
    3,
  );
}

/** One filter or several for each channel. */
function depthwise(x: Tensor4D, weights: Value, channels: number, window: Window): Tensor {
  const multiplier = weights.shape[0]! / channels;
  // [C*m,1,H,W] -> [H,W,C,m]
  const filter = weights.derive('depthwise', () => {
    const [height, width] = asRows(weights.shape.slice(2), 1);
    return tf.transpose(tf.reshape(weights.ordered, [channels, multiplier, height, width]), [2, 3, 0, 1]);
  }) as Tensor4D;
  const { strides, dilations } = window;
  const dilated = Math.max(...dilations) > 1;
  const square = strides[0] === strides[1];
  if (!dilated && square) return tf.depthwiseConv2d(x, filter, strides, paddingFor(x, window) as 'valid');
  return byTaps(x, filter, window);
}

/** A depthwise convolution as a sum over the positions of the window: TensorFlow.js has no gradient when it is dilated. */
function byTaps(x: Tensor4D, filter: Tensor4D, window: Window): Tensor {
  const [, , channels, multiplier] = filter.shape;
  const products = taps(x, window, 0).map(({ part, row, column }) => {
    const factors = tf.reshape(tf.slice(filter, [row, column, 0, 0], [1, 1, channels, multiplier]), [
      channels,
      multiplier,
    ]);
    const product = tf.mul(tf.expandDims(part, -1), factors);
    return tf.reshape(product, [...part.shape.slice(0, 3), channels * multiplier]);
  });
  return products.reduce((sum, product) => tf.add(sum, product));
}

/** What lies under each position of a window, `[N,H',W',C]`, where the border is `value`. */
export function taps(x: Tensor4D, { size, strides, dilations, pads }: Window, value: number) {
  const padded: Tensor = padAxis(padAxis(x, 1, ...pads[0], value), 2, ...pads[1], value);
  const length = (axis: 0 | 1) =>
    Math.floor((padded.shape[axis + 1]! - (size[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  const along = (tensor: Tensor, axis: 0 | 1, position: number) => {
    const start = position * dilations[axis];
    const end = start + (length(axis) - 1) * strides[axis] + 1;
    return everyNth(range(tensor, axis + 1, start, end), axis + 1, strides[axis]);
  };
  return Array.from({ length: size[0] * size[1] }, (_, tap) => {
    const [row, column] = [Math.floor(tap / size[1]), tap % size[1]];
    return { part: along(along(padded, 0, row), 1, column), row, column };
  });
}

const convTranspose: Handler = (call) => {
  const [x, weights] = [call.input(0), call.input(1)];
  const window = windowOf(
    call,
    weights.shape.slice(2),
    x.shape.slice(2).map(() => 1),
  );
  const groups = call.int('group', 1);
  const images = asImages(x);
  if (weights.shape[0] !== x.shape[1])
    throw invalid('The channels of a transposed convolution do not fit.', { where: call.where });
  const parts = groups === 1 ? [images] : tf.split<Tensor4D>(images, groups, 3);
  const filters = groups === 1 ? [filterOf(weights)] : tf.split<Tensor4D>(filterOf(weights), groups, 3);
  const full = parts.map((part, g) => spread(part, filters[g]!, window, call.where));
  const y = cropped(call, full.length === 1 ? full[0]! : tf.concat(full, 3), x, window);
  return fromImages(call, call.has(2) ? tf.add(y, call.input(2).ordered) : y, x.rank);
};

/** Every pixel times the filter, added up: the whole of it, before anything is cut off. */
function spread(x: Tensor4D, filter: Tensor4D, { size, strides, dilations }: Window, where: string): Tensor {
  // [H,W,outputs,inputs], as TensorFlow.js wants it; weights of ONNX are [inputs,outputs,H,W].
  const dilated = dilate(dilate(filter, 0, dilations[0]), 1, dilations[1]) as Tensor4D;
  const side = (axis: 0 | 1) =>
    (x.shape[axis + 1]! - 1) * strides[axis] + (size[axis] - 1) * dilations[axis] + 1;
  const shape = checkedShape([x.shape[0], side(0), side(1), filter.shape[2]], where);
  return tf.conv2dTranspose(x, dilated, shape as [number, number, number, number], strides, 'valid');
}

/** Zeros between the elements of an axis. */
function dilate(x: Tensor, axis: number, step: number): Tensor {
  if (step === 1) return x;
  const { shape } = x;
  const apart = padAxis(tf.expandDims(x, axis + 1), axis + 1, 0, step - 1);
  return range(
    tf.reshape(apart, shape.with(axis, shape[axis]! * step)),
    axis,
    0,
    (shape[axis]! - 1) * step + 1,
  );
}

/** Takes away the padding; `output_shape` and `auto_pad` say how much that is in their own way. */
function cropped(call: Call, full: Tensor, x: Value, { strides, pads }: Window): Tensor {
  const rank = x.rank - 2;
  const extra = asRows(call.ints('output_padding') ?? Array<number>(rank).fill(0), 0);
  const wanted = call.ints('output_shape');
  const mode = call.text('auto_pad', 'NOTSET');
  return [0, 1].reduce((y: Tensor, axis) => {
    if (rank === 1 && axis === 0) return y;
    const length = y.shape[axis + 1]! + extra[axis]!;
    const target =
      wanted?.at(axis - 2) ?? (mode.startsWith('SAME') ? x.shape.at(axis - 2)! * strides[axis]! : undefined);
    const cut = target === undefined ? pads[axis]! : halves(length - target, mode);
    return shift(y, axis + 1, cut[0], length - cut[0] - cut[1]);
  }, full);
}

/** `length` elements from `start`, with zeros where there are none. */
function shift(x: Tensor, axis: number, start: number, length: number): Tensor {
  const end = start + length;
  const padded = padAxis(x, axis, Math.max(0, -start), Math.max(0, end - x.shape[axis]!));
  const moved = start + Math.max(0, -start);
  return range(padded, axis, moved, moved + length);
}

export const convolutions: Operators = { Conv: conv, ConvTranspose: convTranspose };
