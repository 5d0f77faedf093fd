import {
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  type KernelConfig,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { copyRows } from './copying.ts';
import { convInfo, type Info, type Shape4D } from './geometry.ts';
import type { Multiply } from './matmul.ts';
import { allocate, floats, free, kernel, release, view } from './memory.ts';

/** Positions that one matrix product of a filter gradient sums over: bounds memory and rounding errors. */
const POSITIONS = 16384;

/**
 * Gradient of a convolution with respect to its filter, which the package lacks: matrix products of the input and dy
 * that sum over up to {@link POSITIONS} output positions at once.
 */
export function filterGradient(multiply: Multiply): KernelConfig {
  return kernel<Conv2DBackpropFilterAttrs>(Conv2DBackpropFilter, (backend, { x, dy }, attrs) => {
    const info = convInfo(x!.shape as Shape4D, attrs.filterShape, attrs);
    const { batchSize, strideHeight, strideWidth } = info;
    const images = Math.max(1, Math.min(batchSize, Math.floor(POSITIONS / gridOf(info).size)));
    const add = strideHeight === 1 && strideWidth === 1 ? addShifted : addWindowed;
    const total = allocate(backend, attrs.filterShape);
    const part = allocate(backend, attrs.filterShape);
    floats(backend, total).fill(0);
    for (let first = 0; first < batchSize; first += images) {
      const count = Math.min(images, batchSize - first);
      add({ backend, multiply, x: x!, dy: dy!, out: part, info, first, count });
      const [sum, summand] = [floats(backend, total), floats(backend, part)];
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + summand[i]!;
    }
    free(backend, part);
    return total;
  });
}

/** What the filter gradient of `count` images from `first` on needs. */
interface FilterTask {
  readonly backend: BackendWasm;
  readonly multiply: Multiply;
  readonly x: TensorInfo;
  readonly dy: TensorInfo;
  readonly out: TensorInfo;
  readonly info: Info;
  readonly first: number;
  readonly count: number;
}

/** Sides of the input with its padding, as far as windows reach. */
function gridOf(info: Info): { height: number; width: number; size: number } {
  const height = (info.outHeight - 1) * info.strideHeight + info.filterHeight;
  const width = (info.outWidth - 1) * info.strideWidth + info.filterWidth;
  return { height, width, size: height * width };
}

/**
 * Stride 1, without a copy per filter tap. The padded input lies channel by channel, once per column kx of the
 * filter and shifted by kx; dy lies on the same grid with zeros where no window starts. Row ky of the filter is then
 * the product of that matrix, read ky grid rows later, with dy: what it reads beyond a channel meets the zeros.
 */
function addShifted({ backend, multiply, x, dy, out, info, first, count }: FilterTask): void {
  const { filterHeight, filterWidth, inChannels, outChannels } = info;
  const { width, size } = gridOf(info);
  const [depth, rows] = [count * size, filterWidth * inChannels];
  const slack = (filterHeight - 1) * width + filterWidth;
  const planes = allocate(backend, [rows * depth + slack]);
  const grid = allocate(backend, [depth, outChannels]);
  const target = floats(backend, planes);
  target.fill(0, 0, inChannels * depth);
  target.fill(0, rows * depth);
  for (let i = 0; i < count; i++) toPlanes(floats(backend, x), target, first + i, i * size, depth, info);
  for (let kx = 1; kx < filterWidth; kx++) {
    move(target, kx, inChannels * depth, kx * inChannels * depth);
  }
  toGrid(floats(backend, dy), floats(backend, grid), first, count, info);
  for (let ky = 0; ky < filterHeight; ky++) {
    const a = view(backend, planes, ky * width, [rows, depth]);
    const y = view(backend, out, ky * rows * outChannels, [rows, outChannels]);
    multiply(a, grid, y, rows, depth, outChannels);
    release(backend, a);
    release(backend, y);
  }
  free(backend, planes, grid);
}

/** Copies within an array. In shared memory the runtime copies byte by byte when two words are not aligned alike. */
function move(values: Float32Array, from: number, length: number, to: number): void {
  if (values.buffer instanceof ArrayBuffer || (to - from) % 2 === 0) {
    values.copyWithin(to, from, from + length);
  } else {
    for (let i = 0; i < length; i++) values[to + i] = values[from + i]!;
  }
}

/** Image `image` of `x`, channel by channel, at `at` of planes of `depth` values each, inside its padding. */
function toPlanes(
  x: Float32Array,
  planes: Float32Array,
  image: number,
  at: number,
  depth: number,
  info: Info,
): void {
  const { inHeight, inWidth, inChannels, padInfo } = info;
  const { height, width } = gridOf(info);
  const columns = Math.min(inWidth, width - padInfo.left);
  const bottom = Math.min(inHeight, height - padInfo.top);
  for (let y = 0; y < bottom; y++) {
    const from = (image * inHeight + y) * inWidth * inChannels;
    const to = at + (y + padInfo.top) * width + padInfo.left;
    for (let channel = 0; channel < inChannels; channel++) {
      const [source, target] = [from + channel, to + channel * depth];
      for (let i = 0; i < columns; i++) planes[target + i] = x[source + i * inChannels]!;
    }
  }
}

function toGrid(dy: Float32Array, grid: Float32Array, first: number, count: number, info: Info): void {
  const { outHeight, outWidth, outChannels } = info;
  const { width, size } = gridOf(info);
  const length = outWidth * outChannels;
  grid.fill(0);
  for (let i = 0; i < count; i++) {
    const from = (first + i) * outHeight * length;
    const to = i * size * outChannels;
    const toStep = width * outChannels;
    copyRows(dy, grid, { rows: outHeight, length, from, fromStep: length, to, toStep });
  }
}

/** Any stride: the windows of the input as columns, times dy. */
function addWindowed({ backend, multiply, x, dy, out, info, first, count }: FilterTask): void {
  const { outHeight, outWidth, outChannels, inChannels, filterHeight, filterWidth } = info;
  const positions = count * outHeight * outWidth;
  const rows = filterHeight * filterWidth * inChannels;
  const windows = allocate(backend, [rows, positions]);
  for (let i = 0; i < count; i++) {
    copyWindows(floats(backend, x), floats(backend, windows), first + i, i, positions, info);
  }
  const at = first * outHeight * outWidth * outChannels;
  const part = view(backend, dy, at, [positions, outChannels]);
  multiply(windows, part, out, rows, positions, outChannels);
  release(backend, part);
  free(backend, windows);
}

/** Writes the windows of one image as columns: row (ky, kx, channel), column = output position. */
function copyWindows(
  x: Float32Array,
  windows: Float32Array,
  image: number,
  slot: number,
  stride: number,
  info: Info,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth, padInfo } = info;
  const start = image * inHeight * inWidth * inChannels;
  for (let row = 0; row < filterHeight * filterWidth * inChannels; row++) {
    const channel = row % inChannels;
    const kx = Math.floor(row / inChannels) % filterWidth;
    const ky = Math.floor(row / inChannels / filterWidth);
    let to = row * stride + slot * outHeight * outWidth;
    for (let oy = 0; oy < outHeight; oy++) {
      const y = oy * strideHeight - padInfo.top + ky;
      const inside = y >= 0 && y < inHeight;
      const line = start + y * inWidth * inChannels + channel;
      for (let ox = 0, left = kx - padInfo.left; ox < outWidth; ox++, left += strideWidth) {
        windows[to++] = inside && left >= 0 && left < inWidth ? x[line + left * inChannels]! : 0;
      }
    }
  }
}
