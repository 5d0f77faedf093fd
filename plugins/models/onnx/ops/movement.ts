import * as tf from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { checkedShape, invalid, unsupported } from '../failure.ts';
import { channelsLast, inOrder, normalAxis, type Value } from '../value.ts';
import { everyNth, range, type Operators } from './support.ts';

/** The shape that `Reshape` means: 0 keeps a size, -1 takes what is left. */
export function reshaped(wanted: readonly number[], { shape, size }: Value, call: Call): number[] {
  const keep = call.int('allowzero', 0) === 0;
  const known = wanted.map((side, axis) => (side === 0 && keep ? (shape[axis] ?? -2) : side));
  const rest = known.filter((side) => side !== -1).reduce((product, side) => product * side, 1);
  const result = known.map((side) => (side === -1 ? size / Math.max(rest, 1) : side));
  const fits = result.reduce((product, side) => product * side, 1) === size;
  if (fits && result.every((side) => Number.isInteger(side) && side >= 0)) return result;
  throw invalid('A reshape does not fit.', {
    where: call.where,
    expected: `${size} elements`,
    received: `[${wanted.join(', ')}] of [${shape.join(', ')}]`,
  });
}

const reshape: Handler = (call) => {
  const x = call.input(0);
  return call.value(tf.reshape(x.ordered, reshaped(call.numbers(1), x, call)));
};

const flatten: Handler = (call) => {
  const x = call.input(0);
  const axis = call.int('axis', 1);
  const rows = x.shape.slice(0, axis < 0 ? axis + x.rank : axis).reduce((product, side) => product * side, 1);
  return call.value(tf.reshape(x.ordered, [rows, x.size / Math.max(rows, 1)]));
};

/** Shapes of `Squeeze` and `Unsqueeze`. */
export function squeezed({ shape, rank }: Value, axes: readonly number[] | undefined): number[] {
  const chosen = axes?.map((axis) => normalAxis(axis, rank));
  return shape.filter((side, axis) => !(chosen ? chosen.includes(axis) : side === 1));
}

export function unsqueezed({ shape, rank }: Value, axes: readonly number[]): number[] {
  const full = rank + axes.length;
  const chosen = axes.map((axis) => normalAxis(axis, full));
  const left = [...shape];
  return inOrder(full).map((axis) => (chosen.includes(axis) ? 1 : left.shift()!));
}

const squeeze: Handler = (call) => {
  const x = call.input(0);
  return call.value(tf.reshape(x.ordered, squeezed(x, call.listed(1, 'axes'))));
};

const unsqueeze: Handler = (call) => {
  const x = call.input(0);
  return call.value(tf.reshape(x.ordered, unsqueezed(x, call.listed(1, 'axes') ?? [])));
};

/** Costs nothing: only the book-keeping of the axes changes. */
const transpose: Handler = (call) => {
  const x = call.input(0);
  const perm = call.ints('perm') ?? inOrder(x.rank).reverse();
  return call.value(x.tensor, { order: x.order.map((axis) => perm.indexOf(axis)) });
};

const concat: Handler = (call) => {
  const values = call.given.filter(({ size }, index) => size > 0 || index === 0);
  const [first] = values;
  const axis = normalAxis(call.int('axis', 0), first!.rank);
  const order = [...values].sort((a, b) => b.size - a.size)[0]!.order;
  return call.value(
    tf.concat(
      values.map((value) => value.as(order)),
      order.indexOf(axis),
    ),
    { order },
  );
};

/** Lengths of the parts of `Split`. */
export function splitSizes(call: Call, length: number): number[] {
  const given = call.listed(1, 'split');
  if (given) return given;
  const count = call.int('num_outputs', call.node.outputs.length);
  const each = Math.ceil(length / count);
  return Array.from({ length: count }, (_, index) => Math.max(0, Math.min(each, length - index * each)));
}

const split: Handler = (call) => {
  const x = call.input(0);
  const place = x.place(call.int('axis', 0));
  const sizes = splitSizes(call, x.tensor.shape[place]!);
  let start = 0;
  return sizes.map((size) => x.with(range(x.tensor, place, start, (start += size))));
};

/** One axis of a `Slice`: elements from `start` on, `count` of them, `step` apart. */
export interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

export function cutsOf(call: Call, { shape, rank }: Value): Cut[] {
  const starts = call.listed(1, 'starts') ?? [];
  const ends = call.listed(2, 'ends') ?? [];
  const axes = call.listed(3, 'axes') ?? starts.map((_, index) => index);
  const steps = call.has(4) ? call.numbers(4) : starts.map(() => 1);
  return starts.map((given, index) => {
    const axis = normalAxis(axes[index]!, rank);
    const length = shape[axis]!;
    const step = steps[index]!;
    if (!step) throw invalid('A slice has a step of 0.', { where: call.where });
    const bound = (value: number, low: number, high: number) =>
      Math.max(low, Math.min(high, value < 0 ? value + length : value));
    const start = step > 0 ? bound(given, 0, length) : bound(given, 0, length - 1);
    const end = step > 0 ? bound(ends[index]!, 0, length) : bound(ends[index]!, -1, length - 1);
    return { axis, start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
}

const slice: Handler = (call) => {
  const x = call.input(0);
  const y = cutsOf(call, x).reduce((tensor, { axis, start, count, step }) => {
    const place = x.order.indexOf(axis);
    if (count === 0) return range(tensor, place, 0, 0);
    const last = start + (count - 1) * step;
    const part = range(tensor, place, Math.min(start, last), Math.max(start, last) + 1);
    return everyNth(step < 0 ? tf.reverse(part, place) : part, place, Math.abs(step));
  }, x.tensor);
  return x.with(y);
};

const expand: Handler = (call) => {
  const x = call.input(0);
  const wanted = call.numbers(1);
  const shape = checkedShape(tf.broadcast_util.assertAndGetBroadcastShape([...x.shape], wanted), call.where);
  if (shape.length > x.rank) return call.value(tf.broadcastTo(x.ordered, shape));
  return x.with(
    tf.broadcastTo(
      x.tensor,
      x.order.map((axis) => shape[axis]!),
    ),
  );
};

const tile: Handler = (call) => {
  const x = call.input(0);
  const repeats = call.numbers(1);
  checkedShape(
    x.shape.map((side, axis) => side * repeats[axis]!),
    call.where,
  );
  return x.with(
    tf.tile(
      x.tensor,
      x.order.map((axis) => repeats[axis]!),
    ),
  );
};

/** Blocks of channels become blocks of pixels. */
const depthToSpace: Handler = (call) => {
  const block = call.int('blocksize', 1);
  const x = call.input(0).as(channelsLast(4));
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const rest = channels / block ** 2;
  const columnRow = call.text('mode', 'DCR') === 'CRD';
  const split = tf.reshape(x, [
    batch,
    height,
    width,
    ...(columnRow ? [rest, block, block] : [block, block, rest]),
  ]);
  const moved = tf.transpose(split, columnRow ? [0, 1, 4, 2, 5, 3] : [0, 1, 3, 2, 4, 5]);
  return call.image(tf.reshape(moved, [batch, height * block, width * block, rest]));
};

const spaceToDepth: Handler = (call) => {
  const block = call.int('blocksize', 1);
  const x = call.input(0).as(channelsLast(4));
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const split = tf.reshape(x, [batch, height / block, block, width / block, block, channels]);
  const moved = tf.transpose(split, [0, 1, 3, 2, 4, 5]);
  return call.image(tf.reshape(moved, [batch, height / block, width / block, channels * block ** 2]));
};

/** In inference nothing is dropped. */
const dropout: Handler = (call) => {
  if (call.has(2) && call.numbers(2)[0]) {
    const next = 'export the model in evaluation mode';
    throw unsupported('A dropout is in training mode.', { where: call.where, next });
  }
  const x = call.input(0);
  if (call.node.outputs.length === 1) return x;
  return [x, call.value(tf.ones(x.tensor.shape, 'bool'), { order: x.order })];
};

/** What moves elements and computes nothing. */
export const movements: Operators = {
  Identity: (call) => call.input(0),
  Dropout: dropout,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
