import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { unsupported } from '../failure.ts';
import { channelsLast } from '../value.ts';
import { asImages, fromImages, taps, windowOf, type Window } from './convolution.ts';
import { padAxis, type Operators } from './support.ts';

/** Smaller than any value: infinity would become NaN where it meets a zero. */
const LOWEST = -3.4028234663852886e38;

/** A window with enough padding behind for those that `ceil_mode` adds; `real` is the padding that counts as pixels. */
interface PoolWindow extends Window {
  readonly real: Window['pads'];
}

function poolWindow(call: Call, axes?: readonly number[]): PoolWindow {
  const input = call.input(0).shape.slice(2);
  const base = windowOf(call, call.ints('kernel_shape') ?? [], input, axes);
  const chosen = (axes ?? input.map((_, axis) => axis)).map((axis) => input[axis]!);
  const sides = chosen.length === 1 ? [1, chosen[0]!] : chosen;
  const real = base.pads;
  if (call.int('ceil_mode', 0) === 0) return { ...base, real };
  const pads = real.map(([before, after], axis): [number, number] => {
    const extent = (base.size[axis]! - 1) * base.dilations[axis]! + 1;
    const stride = base.strides[axis]!;
    let count = Math.ceil((sides[axis]! + before + after - extent) / stride) + 1;
    // A window that would start behind the image is left out.
    if ((count - 1) * stride >= sides[axis]! + before) count--;
    return [before, Math.max(after, (count - 1) * stride + extent - sides[axis]! - before)];
  });
  return { ...base, real, pads: [pads[0]!, pads[1]!] };
}

/** The same for rows as for columns. */
function turned({ size, strides, dilations, pads, real }: PoolWindow): PoolWindow {
  const turn = <T>([rows, columns]: readonly [T, T]): [T, T] => [columns, rows];
  return {
    size: turn(size),
    strides: turn(strides),
    dilations: turn(dilations),
    pads: turn(pads),
    real: turn(real),
  };
}

const isDilated = ({ dilations }: Window) => Math.max(...dilations) > 1;

function padded(x: Tensor4D, { pads }: Window, value: number): Tensor4D {
  return padAxis(padAxis(x, 1, ...pads[0], value), 2, ...pads[1], value) as Tensor4D;
}

type Pool = (x: Tensor4D, window: PoolWindow) => Tensor;

/** Pools images, signals, and volumes: those along one axis first and then along two, which is the same. */
const pooling =
  (poolFor: (call: Call) => Pool): Handler =>
  (call) => {
    const x = call.input(0);
    const pool = poolFor(call);
    if (x.rank !== 5) return fromImages(call, pool(asImages(x), poolWindow(call)), x.rank);
    const volume = tf.cast(x.as(channelsLast(5)), 'float32');
    const [n, depth, height, width, channels] = volume.shape as [number, number, number, number, number];
    const columns = tf.reshape(volume, [n, depth, height * width, channels]) as Tensor4D;
    const flat = pool(columns, turned(poolWindow(call, [0])));
    const slices = tf.reshape(flat, [-1, height, width, channels]) as Tensor4D;
    const y = pool(slices, poolWindow(call, [1, 2]));
    return call.image(tf.reshape(y, [n, -1, ...y.shape.slice(1)]));
  };

/** The largest value under each window. Engines pool floats only. */
const maxPool = pooling((call) => {
  if (call.node.outputs[1]) {
    const received = `output '${call.node.outputs[1]}'`;
    throw unsupported('The positions of the maxima are not computed.', { where: call.where, received });
  }
  return (x, window) => {
    const parts = isDilated(window) ? taps(x, window, LOWEST).map(({ part }) => part) : undefined;
    if (parts) return parts.reduce((a, b) => tf.maximum(a, b));
    const floats = padded(tf.cast(x, 'float32'), window, LOWEST);
    return tf.cast(tf.maxPool(floats, window.size, window.strides, 'valid'), x.dtype);
  };
});

/** Means of padded windows, each corrected for the pixels that do not count. */
const averagePool = pooling((call) => {
  const included = call.int('count_include_pad', 0) === 1;
  return (x, window) => {
    const area = window.size[0] * window.size[1];
    const parts = isDilated(window) ? taps(x, window, 0).map(({ part }) => part) : undefined;
    const mean = parts
      ? tf.div(
          parts.reduce((a, b) => tf.add(a, b)),
          area,
        )
      : tf.avgPool(padded(x, window, 0), window.size, window.strides, 'valid');
    const share = shares(x, window, included ? window.real : NONE);
    return share ? tf.mul(mean, share) : mean;
  };
});

const NONE: Window['pads'] = [
  [0, 0],
  [0, 0],
];

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
