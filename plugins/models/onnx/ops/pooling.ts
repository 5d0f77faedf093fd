import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { unsupported } from '../failure.ts';
import { asImages, fromImages, taps, windowOf, type Window } from './convolution.ts';
import { padAxis, type Operators } from './support.ts';

/** Smaller than any value: infinity would become NaN where it meets a zero. */
const LOWEST = -3.4028234663852886e38;

/** The window of a pooling node, with enough padding behind for the windows that `ceil_mode` adds. */
function poolWindow(call: Call): { window: Window; real: Window['pads'] } {
  const x = call.input(0);
  const input = x.shape.slice(2);
  const base = windowOf(call, call.ints('kernel_shape') ?? [], input);
  const sides = x.rank === 3 ? [1, input[0]!] : input;
  const real = base.pads;
  if (call.int('ceil_mode', 0) === 0) return { window: base, real };
  const pads = real.map(([before, after], axis) => {
    const extent = (base.size[axis]! - 1) * base.dilations[axis]! + 1;
    const stride = base.strides[axis]!;
    let count = Math.ceil((sides[axis]! + before + after - extent) / stride) + 1;
    // A window that would start behind the image is left out.
    if ((count - 1) * stride >= sides[axis]! + before) count--;
    return [before, Math.max(after, (count - 1) * stride + extent - sides[axis]! - before)];
  });
  return { window: { ...base, pads: pads as Window['pads'] }, real };
}

const isDilated = ({ dilations }: Window) => Math.max(...dilations) > 1;

function padded(x: Tensor4D, { pads }: Window, value: number): Tensor4D {
  return padAxis(padAxis(x, 1, ...pads[0], value), 2, ...pads[1], value) as Tensor4D;
}

const maxPool: Handler = (call) => {
  if (call.node.outputs[1]) {
    throw unsupported('The positions of the maxima are not computed.', {
      where: call.where,
      received: `output '${call.node.outputs[1]}'`,
    });
  }
  const { window } = poolWindow(call);
  const x = asImages(call.input(0));
  const y = isDilated(window)
    ? taps(x, window, LOWEST)
        .map(({ part }) => part)
        .reduce((a, b) => tf.maximum(a, b))
    : tf.maxPool(padded(x, window, LOWEST), window.size, window.strides, 'valid');
  return fromImages(call, y, call.input(0).rank);
};

/** Sums of padded windows, each divided by the pixels that count. */
const averagePool: Handler = (call) => {
  const { window, real } = poolWindow(call);
  const x = asImages(call.input(0));
  const area = window.size[0] * window.size[1];
  const mean = isDilated(window)
    ? tf.div(
        taps(x, window, 0)
          .map(({ part }) => part)
          .reduce((a, b) => tf.add(a, b)),
        area,
      )
    : tf.avgPool(padded(x, window, 0), window.size, window.strides, 'valid');
  const included = call.int('count_include_pad', 0) === 1;
  const share = shares(
    x,
    window,
    included
      ? real
      : [
          [0, 0],
          [0, 0],
        ],
  );
  return fromImages(call, share ? tf.mul(mean, share) : mean, call.input(0).rank);
};

/** What a mean over a whole window is to be multiplied by, `[1,H',W',1]`; nothing where that is 1 everywhere. */
function shares(x: Tensor4D, window: Window, counted: Window['pads']): Tensor | undefined {
  const along = ([0, 1] as const).map((axis) => {
    const { size, strides, dilations, pads } = window;
    const side = x.shape[axis + 1]!;
    const extent = (size[axis] - 1) * dilations[axis] + 1;
    const count = Math.floor((side + pads[axis][0] + pads[axis][1] - extent) / strides[axis]) + 1;
    return Array.from({ length: count }, (_, index) => {
      const start = index * strides[axis] - pads[axis][0];
      const inside = Array.from({ length: size[axis] }, (_, tap) => start + tap * dilations[axis]).filter(
        (position) => position >= -counted[axis][0] && position < side + counted[axis][1],
      );
      return size[axis] / Math.max(1, inside.length);
    });
  });
  if (along.flat().every((share) => share === 1)) return undefined;
  const [rows, columns] = along as [number[], number[]];
  return tf.mul(tf.tensor4d(rows, [1, rows.length, 1, 1]), tf.tensor4d(columns, [1, 1, columns.length, 1]));
}

/** One window over the whole image. */
const whole =
  (pool: (x: Tensor4D, size: [number, number]) => Tensor): Handler =>
  (call) => {
    const x = asImages(call.input(0));
    return fromImages(call, pool(x, [x.shape[1], x.shape[2]]), call.input(0).rank);
  };

export const poolings: Operators = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: whole((x) => tf.mean(x, [1, 2], true)),
  GlobalMaxPool: whole((x, size) => tf.maxPool(x, size, 1, 'valid')),
};
