import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { checkedShape, invalid } from '../failure.ts';
import { channelsLast, type Value } from '../value.ts';
import { along, type Operators } from './support.ts';

/** How one axis is resized. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Part of the input that is shown, for `tf_crop_and_resize`: from 0 to 1. */
  readonly roi: readonly [start: number, end: number];
}

/** How values between pixels are found. */
interface Method {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly extrapolation: number;
  readonly antialias: boolean;
}

const resize: Handler = (call) => {
  const x = call.input(0);
  const axes = axesOf(call, x);
  checkedShape(
    axes.map(({ to }) => to),
    call.where,
  );
  const method: Method = {
    mode: call.text('mode', 'nearest'),
    coordinates: call.opset < 11 ? 'asymmetric' : call.text('coordinate_transformation_mode', 'half_pixel'),
    nearest: call.opset < 11 ? 'floor' : call.text('nearest_mode', 'round_prefer_floor'),
    cubic: call.float('cubic_coeff_a', -0.75),
    excludeOutside: call.int('exclude_outside', 0) === 1,
    extrapolation: call.float('extrapolation_value', 0),
    antialias: call.int('antialias', 0) === 1,
  };
  const fast = kernelFor(method, axes);
  if (fast) return call.image(fast(x.as(channelsLast(4)) as Tensor4D));
  return call.value(byMatrices(x, axes, method), { order: x.order });
};

/** What is asked for, for each axis of the input. */
function axesOf(call: Call, x: Value): Axis[] {
  const old = call.opset < 11;
  const chosen =
    call.ints('axes')?.map((axis) => (axis < 0 ? axis + x.rank : axis)) ?? x.shape.map((_, axis) => axis);
  const list = (index: number) => (call.has(index) ? call.numbers(index) : []);
  const [scales, sizes, roi] = old ? [old9(call), [], []] : [list(2), list(3), list(1)];
  const wanted = sizes.length > 0 ? fitted(call, sizes, chosen, x) : undefined;
  if ((wanted?.sizes ?? scales).length !== chosen.length) {
    throw invalid('A resize has neither a size nor a scale for each of its axes.', { where: call.where });
  }
  return x.shape.map((from, axis): Axis => {
    const index = chosen.indexOf(axis);
    if (index < 0) return { from, to: from, scale: 1, roi: [0, 1] };
    const scale = wanted ? wanted.scales[index]! : scales[index]!;
    const to = wanted ? wanted.sizes[index]! : Math.floor(from * scale);
    return { from, to, scale, roi: roi.length > 0 ? [roi[index]!, roi[index + chosen.length]!] : [0, 1] };
  });
}

/** Version 10 has the scales as input 1, `Upsample` of version 7 as attribute. */
function old9(call: Call): number[] {
  return call.has(1) ? call.numbers(1) : (call.attribute('scales')?.floats ?? []);
}

/** Sizes, and the scale of each: with `keep_aspect_ratio_policy` one scale for all. */
function fitted(call: Call, sizes: readonly number[], axes: readonly number[], x: Value) {
  const scales = sizes.map((size, index) => size / x.shape[axes[index]!]!);
  const policy = call.text('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return { sizes, scales };
  const scale = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
  const rounded = axes.map((axis) => Math.floor(x.shape[axis]! * scale + 0.5));
  return { sizes: rounded, scales: scales.map(() => scale) };
}

type Kernel = (x: Tensor4D) => Tensor;

/** The engine's own kernel where it computes the same: images, rows and columns by exact ratios. */
function kernelFor(
  { mode, coordinates, nearest, antialias }: Method,
  axes: readonly Axis[],
): Kernel | undefined {
  const [batch, channels, ...sides] = axes;
  const exact = sides.every(({ from, to, scale }) => Math.abs(scale * from - to) < 1e-6 * to);
  if (
    axes.length !== 4 ||
    batch!.from !== batch!.to ||
    channels!.from !== channels!.to ||
    !exact ||
    antialias
  )
    return undefined;
  const size = sides.map(({ to }) => to) as [number, number];
  if (mode === 'linear') {
    const aligned = coordinates === 'align_corners';
    const half =
      coordinates === 'half_pixel' || (coordinates === 'pytorch_half_pixel' && Math.min(...size) > 1);
    if (aligned || half || coordinates === 'asymmetric')
      return (x) => tf.image.resizeBilinear(x, size, aligned, half);
  }
  const whole = sides.every(({ scale }) => Number.isInteger(scale));
  if (mode === 'nearest' && coordinates === 'asymmetric' && nearest === 'floor' && whole) {
    return (x) => tf.image.resizeNearestNeighbor(x, size);
  }
  return undefined;
}

/** Every axis by a matrix, one after the other: exact in every mode, and so is the gradient. */
function byMatrices(x: Value, axes: readonly Axis[], method: Method): Tensor {
  return axes.reduce((y, axis, index) => {
    const cropped = method.coordinates === 'tf_crop_and_resize';
    if (axis.from === axis.to && axis.scale === 1 && !cropped) return y;
    const { matrix, offset } = matrixOf(axis, method);
    const place = x.order.indexOf(index);
    const resized = along(y, place, tf.tensor2d(matrix, [axis.to, axis.from]));
    if (offset.every((value) => value === 0)) return resized;
    return outside(resized, place, offset, method.extrapolation);
  }, x.tensor);
}

/** Where a position lies outside the input the value is a constant. */
function outside(y: Tensor, place: number, offset: readonly number[], value: number): Tensor {
  const shape = y.shape.map((_, axis) => (axis === place ? offset.length : 1));
  const mask = tf.reshape(tf.tensor1d([...offset]), shape);
  return tf.add(tf.mul(y, tf.sub(1, mask)), tf.mul(mask, value));
}

/** Weights `[to,from]` of one axis, and a 1 for each output that lies outside. */
function matrixOf(axis: Axis, method: Method): { matrix: Float32Array; offset: number[] } {
  const { from, to } = axis;
  const matrix = new Float32Array(to * from);
  const offset = Array.from({ length: to }, (_, row) => {
    const x = positionOf(row, axis, method.coordinates);
    if (method.coordinates === 'tf_crop_and_resize' && (x < 0 || x > from - 1)) return 1;
    for (const [column, weight] of weightsAt(x, axis, method)) matrix[row * from + column]! += weight;
    return 0;
  });
  return { matrix, offset };
}

/** Position in the input of output `row`. */
function positionOf(row: number, { from, to, scale, roi }: Axis, coordinates: string): number {
  const length = scale * from;
  switch (coordinates) {
    case 'align_corners':
      return length === 1 ? 0 : (row * (from - 1)) / (length - 1);
    case 'asymmetric':
      return row / scale;
    case 'tf_half_pixel_for_nn':
      return (row + 0.5) / scale;
    case 'pytorch_half_pixel':
      return length > 1 ? (row + 0.5) / scale - 0.5 : 0;
    case 'tf_crop_and_resize': {
      const [start, end] = roi;
      return to > 1
        ? start * (from - 1) + (row * (end - start) * (from - 1)) / (length - 1)
        : 0.5 * (start + end) * (from - 1);
    }
    case 'half_pixel_symmetric':
      return (from / 2) * (1 - to / length) + (row + 0.5) / scale - 0.5;
    case 'half_pixel':
      return (row + 0.5) / scale - 0.5;
    default:
      throw invalid('A resize names a coordinate mode that does not exist.', { received: coordinates });
  }
}

function weightsAt(
  x: number,
  { from, scale }: Axis,
  method: Method,
): (readonly [column: number, weight: number])[] {
  const inside = (column: number) => Math.max(0, Math.min(from - 1, column));
  if (method.mode === 'nearest') return [[inside(nearestTo(x, method.nearest)), 1]];
  // With antialias the kernel widens as the image shrinks.
  const stretch = method.antialias ? Math.min(1, scale) : 1;
  const kernel = method.mode === 'cubic' ? cubic(method.cubic) : (t: number) => Math.max(0, 1 - Math.abs(t));
  const reach = (method.mode === 'cubic' ? 2 : 1) / stretch;
  const first = Math.floor(x - reach) + 1;
  const last = Math.ceil(x + reach) - 1;
  const columns = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const skip = (column: number) => method.excludeOutside && column !== inside(column);
  const weights = columns.map((column) => (skip(column) ? 0 : kernel((x - column) * stretch)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return columns.map((column, index) => [inside(column), weights[index]! / sum] as const);
}

function nearestTo(x: number, rounding: string): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
    default:
      return Math.ceil(x - 0.5);
  }
}

/** Keys' cubic convolution kernel. */
function cubic(a: number): (t: number) => number {
  return (t) => {
    const u = Math.abs(t);
    if (u <= 1) return ((a + 2) * u - (a + 3)) * u * u + 1;
    return u < 2 ? ((a * u - 5 * a) * u + 8 * a) * u - 4 * a : 0;
  };
}

export const resizes: Operators = { Resize: resize, Upsample: resize };
