import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { invalid, unsupported } from '../failure.ts';
import { inOrder, normalAxis, type Numbers, type Value } from '../value.ts';
import { range, type Operators } from './support.ts';

/** Positions from the end are negative. */
export function normalIndex(index: number, length: number, where: string): number {
  const normal = index < 0 ? index + length : index;
  if (normal >= 0 && normal < length) return normal;
  throw invalid('An index lies outside.', {
    where,
    expected: `-${length} to ${length - 1}`,
    received: String(index),
  });
}

const gather: Handler = (call) => {
  const [x, indices] = [call.input(0), call.input(1)];
  const axis = normalAxis(call.int('axis', 0), x.rank);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const taken = indices.isPlain ? known(x, axis, call.numbers(1), call.where) : unknown(x, axis, indices);
  return call.value(tf.reshape(taken, shape));
};

/** A run of neighbours is a slice, which costs less than a gather, forward and backward. */
function known(x: Value, axis: number, numbers: readonly number[], where: string): Tensor {
  const length = x.shape[axis]!;
  const wanted = numbers.map((index) => normalIndex(index, length, where));
  const isRun = wanted.every((index, i) => i === 0 || index === wanted[i - 1]! + 1);
  if (isRun && wanted.length > 0) return range(x.ordered, axis, wanted[0]!, wanted.at(-1)! + 1);
  return tf.gather(x.ordered, tf.tensor1d(wanted, 'int32'), axis);
}

function unknown(x: Value, axis: number, indices: Value): Tensor {
  const flat = tf.reshape(indices.ordered, [-1]);
  const length = tf.scalar(x.shape[axis]!, 'int32');
  const wanted = tf.where(tf.less(flat, tf.scalar(0, 'int32')), tf.add(flat, length), flat);
  return tf.gather(x.ordered, wanted as Tensor1D, axis);
}

/** Distance in memory between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
}

/** Takes elements by their place in row-major order. */
function pick(x: Tensor, places: Numbers, shape: readonly number[]): Tensor {
  return tf.reshape(tf.gather(tf.reshape(x, [-1]), tf.tensor1d(Int32Array.from(places), 'int32')), [
    ...shape,
  ]);
}

/** The coordinates of each element of a shape, in order. */
function* coordinates(shape: readonly number[]): Generator<number[]> {
  const size = shape.reduce((product, side) => product * side, 1);
  const strides = stridesOf(shape);
  for (let at = 0; at < size; at++)
    yield strides.map((stride, axis) => Math.floor(at / stride) % shape[axis]!);
}

/** For each index the place in `shape` that it names: its own coordinates, with that of `axis` replaced. */
function elementPlaces(call: Call, shape: readonly number[], axis: number): number[] {
  const indices = call.numbers(1);
  const strides = stridesOf(shape);
  return Array.from(coordinates(call.input(1).shape), (at, i) =>
    at.reduce(
      (place, coordinate, k) =>
        place + strides[k]! * (k === axis ? normalIndex(indices[i]!, shape[axis]!, call.where) : coordinate),
      0,
    ),
  );
}

const gatherElements: Handler = (call) => {
  const x = call.input(0);
  const axis = normalAxis(call.int('axis', 0), x.rank);
  return call.value(pick(x.ordered, elementPlaces(call, x.shape, axis), call.input(1).shape));
};

/** The places that tuples of indices name: each tuple a block of `inner` neighbours. */
function tuplePlaces(
  call: Call,
  shape: readonly number[],
  batch: number,
): { places: number[]; inner: readonly number[]; outer: readonly number[] } {
  const { shape: indexShape } = call.input(1);
  const width = indexShape.at(-1) ?? 0;
  const numbers = call.numbers(1);
  const strides = stridesOf(shape);
  const inner = shape.slice(batch + width);
  const block = inner.reduce((product, side) => product * side, 1);
  const outer = indexShape.slice(0, -1);
  const places = Array.from(coordinates(outer), (at, i) => {
    const start = at.slice(0, batch).reduce((place, coordinate, k) => place + strides[k]! * coordinate, 0);
    const tuple = numbers.slice(i * width, (i + 1) * width);
    const base = tuple.reduce(
      (place, index, k) => place + strides[batch + k]! * normalIndex(index, shape[batch + k]!, call.where),
      start,
    );
    return Array.from({ length: block }, (_, k) => base + k);
  });
  return { places: places.flat(), inner, outer };
}

const gatherNd: Handler = (call) => {
  const x = call.input(0);
  const { places, inner, outer } = tuplePlaces(call, x.shape, call.int('batch_dims', 0));
  return call.value(pick(x.ordered, places, [...outer, ...inner]));
};

type Combine = (old: Tensor, update: Tensor) => Tensor;

const combinations: Readonly<Record<string, Combine>> = {
  none: (_, update) => update,
  add: (old, update) => tf.add(old, update),
  mul: (old, update) => tf.mul(old, update),
  max: (old, update) => tf.maximum(old, update),
  min: (old, update) => tf.minimum(old, update),
};

/**
 * Writes updates to known places. The result is gathered from data and updates, so that it has a gradient; places that
 * are written more than once are combined in rounds, one update of each place at a time.
 */
function scatter(call: Call, places: readonly number[]): Value {
  const x = call.input(0);
  const combine = combinations[call.text('reduction', 'none')];
  if (!combine)
    throw unsupported('Scattered values are combined in an unknown way.', {
      where: call.where,
      received: call.text('reduction'),
    });
  const updates = tf.reshape(call.input(2).ordered, [-1]);
  let y = x.ordered;
  for (let left = places.map((place, i) => [place, i] as const); left.length > 0;) {
    const round = new Map<number, number>();
    const later = left.filter(([place, i]) => round.has(place) || !round.set(place, i));
    const source = Int32Array.from({ length: x.size }, (_, place) =>
      round.has(place) ? x.size + round.get(place)! : place,
    );
    const written = Uint8Array.from({ length: x.size }, (_, place) => Number(round.has(place)));
    const update = pick(tf.concat([tf.reshape(y, [-1]), updates]), source, x.shape);
    y = tf.where(tf.tensor(written, [...x.shape], 'bool'), combine(y, update), y);
    left = later;
  }
  return call.value(y);
}

const scatterElements: Handler = (call) => {
  const { shape, rank } = call.input(0);
  return scatter(call, elementPlaces(call, shape, normalAxis(call.int('axis', 0), rank)));
};

const scatterNd: Handler = (call) => scatter(call, tuplePlaces(call, call.input(0).shape, 0).places);

/** Keeps a triangle of the last two axes. */
const triangle: Handler = (call) => {
  const x = call.input(0);
  const upper = call.int('upper', 1) === 1;
  const k = call.has(1) ? call.numbers(1)[0]! : 0;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const kept = Uint8Array.from({ length: rows * columns }, (_, at) => {
    const distance = (at % columns) - Math.floor(at / columns);
    return Number(upper ? distance >= k : distance <= k);
  });
  const mask = tf.tensor2d(kept, [rows, columns], 'bool');
  const input = x.ordered;
  return call.value(tf.where(tf.broadcastTo(mask, input.shape), input, tf.zerosLike(input)));
};

/** Running sums along an axis. */
const cumSum: Handler = (call) => {
  const x = call.input(0);
  const axis = normalAxis(call.numbers(1)[0]!, x.rank);
  return x.with(
    tf.cumsum(x.tensor, x.order.indexOf(axis), call.int('exclusive', 0) === 1, call.int('reverse', 0) === 1),
  );
};

const oneHot: Handler = (call) => {
  const indices = call.input(0);
  const depth = call.numbers(1)[0]!;
  const [off, on] = call.numbers(2) as [number, number];
  const axis = call.int('axis', -1);
  const flat = tf.cast(indices.ordered, 'int32');
  const positive = tf.mod(flat, tf.scalar(depth, 'int32'));
  const hot = tf.cast(tf.oneHot(positive, depth), 'float32');
  const rank = indices.rank + 1;
  const place = normalAxis(axis, rank);
  const order = [...inOrder(rank).filter((each) => each !== place), place];
  const type = call.input(2).type;
  return call.value(tf.cast(tf.add(tf.mul(hot, on - off), off), call.input(2).tensor.dtype), { order, type });
};

/** What takes elements from, or writes them to, places that are given as numbers. */
export const indexings: Operators = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterNd,
  Trilu: triangle,
  CumSum: cumSum,
  OneHot: oneHot,
};
