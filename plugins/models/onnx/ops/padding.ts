import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Handler } from '../call.ts';
import { checkedShape, invalid } from '../failure.ts';
import { inOrder, normalAxis } from '../value.ts';
import { padAxis, range, type Operators } from './support.ts';

const pad: Handler = (call) => {
  const x = call.input(0);
  const amounts = call.listed(1, 'pads') ?? [];
  const value = call.has(2) ? (call.numbers(2)[0] ?? 0) : call.float('value', 0);
  const axes = call.has(3) ? call.numbers(3).map((axis) => normalAxis(axis, x.rank)) : inOrder(x.rank);
  const mode = call.text('mode', 'constant');
  const y = axes.reduce((tensor, axis, index) => {
    const place = x.order.indexOf(axis);
    const [before, after] = [amounts[index] ?? 0, amounts[index + axes.length] ?? 0];
    const length = tensor.shape[place]!;
    const cropped = range(tensor, place, Math.max(0, -before), length - Math.max(0, -after));
    return border(cropped, place, Math.max(0, before), Math.max(0, after), mode, value);
  }, x.tensor);
  return x.with(y);
};

function border(x: Tensor, axis: number, before: number, after: number, mode: string, value: number): Tensor {
  if (before === 0 && after === 0) return x;
  const length = x.shape[axis]!;
  checkedShape(x.shape.with(axis, length + before + after));
  switch (mode) {
    case 'constant':
      return padAxis(x, axis, before, after, value);
    case 'edge': {
      const repeat = (part: Tensor, times: number) =>
        tf.tile(
          part,
          x.shape.map((_, place) => (place === axis ? times : 1)),
        );
      const [first, last] = [range(x, axis, 0, 1), range(x, axis, length - 1, length)];
      return tf.concat(
        [repeat(first, before), x, repeat(last, after)].filter(({ size }) => size > 0),
        axis,
      );
    }
    case 'wrap': {
      const [rounds, left, right] = [
        Math.floor(before / length) + Math.floor(after / length) + 1,
        before % length,
        after % length,
      ];
      return tf.concat(
        [
          range(x, axis, length - left, length),
          ...Array<Tensor>(rounds).fill(x),
          range(x, axis, 0, right),
        ].filter(({ size }) => size > 0),
        axis,
      );
    }
    case 'reflect':
      return reflected(x, axis, before, after);
    default:
      throw invalid('A pad has a mode that does not exist.', { received: mode });
  }
}

/** A border that is wider than the image is mirrored more than once. */
function reflected(x: Tensor, axis: number, before: number, after: number): Tensor {
  const room = x.shape[axis]! - 1;
  if (room === 0)
    return tf.tile(
      x,
      x.shape.map((_, place) => (place === axis ? 1 + before + after : 1)),
    );
  const [left, right] = [Math.min(before, room), Math.min(after, room)];
  const amounts = x.shape.map((_, place): [number, number] => (place === axis ? [left, right] : [0, 0]));
  const y = mirror(x, amounts);
  return before > left || after > right ? reflected(y, axis, before - left, after - right) : y;
}

function mirror(x: Tensor, amounts: [number, number][]): Tensor {
  return tf.mirrorPad(x, amounts, 'reflect');
}

/** Padding in every mode. */
export const paddings: Operators = { Pad: pad };
