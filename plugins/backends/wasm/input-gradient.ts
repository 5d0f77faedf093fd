import {
  Conv2DBackpropInput,
  type Conv2DBackpropInputAttrs,
  type KernelConfig,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { convInfo, type Info, type Shape4D } from './geometry.ts';
import { transpose, type Multiply } from './matmul.ts';
import { allocate, floats, free, kernel, release, view, type Original } from './memory.ts';

/**
 * Gradient of a convolution with respect to its input. With stride 1 it is the convolution of dy with the filter
 * turned by 180 degrees and its channels exchanged; with a larger stride, where that would multiply mostly zeros,
 * one matrix product per image whose columns are added at their places. A transposed convolution is this too.
 */
export function inputGradient(convolve: Original, multiply: Multiply): KernelConfig {
  return kernel<Conv2DBackpropInputAttrs>(Conv2DBackpropInput, (backend, { dy, filter }, attrs) => {
    const info = convInfo(attrs.inputShape, filter!.shape as Shape4D, attrs);
    const pads = turnedPads(info);
    return info.strideHeight === 1 && info.strideWidth === 1 && pads.flat().every((pad) => pad >= 0)
      ? turnedConvolution(backend, dy!, filter!, pads, convolve)
      : scattered(backend, dy!, filter!, info, multiply);
  });
}

type Pads = [[top: number, bottom: number], [left: number, right: number]];

function turnedPads({
  padInfo,
  filterHeight,
  filterWidth,
  inHeight,
  inWidth,
  outHeight,
  outWidth,
}: Info): Pads {
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  return [
    [top, inHeight - outHeight + filterHeight - 1 - top],
    [left, inWidth - outWidth + filterWidth - 1 - left],
  ];
}

function turnedConvolution(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  pads: Pads,
  convolve: Original,
): TensorInfo {
  const [height, width, inner, outer] = filter.shape as Shape4D;
  const turned = allocate(backend, [height, width, outer, inner]);
  const [from, to] = [floats(backend, filter), floats(backend, turned)];
  const size = inner * outer;
  for (let tap = 0; tap < height * width; tap++) {
    transpose(from, tap * size, inner, outer, to, (height * width - 1 - tap) * size);
  }
  const pad = [[0, 0], ...pads, [0, 0]];
  const dx = convolve({ x: dy, filter: turned }, { strides: 1, dilations: 1, pad, dataFormat: 'NHWC' });
  free(backend, turned);
  return dx;
}

/** dx of any stride: `dy [P,Cout]` times the filter `[Cout, taps * Cin]`, each row added to its window. */
function scattered(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  info: Info,
  multiply: Multiply,
): TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const columns = info.filterHeight * info.filterWidth * inChannels;
  const positions = outHeight * outWidth;
  const dx = allocate(backend, [batchSize, inHeight, inWidth, inChannels]);
  const weights = allocate(backend, [outChannels, columns]);
  const products = allocate(backend, [positions, columns]);
  transpose(floats(backend, filter), 0, columns, outChannels, floats(backend, weights), 0);
  floats(backend, dx).fill(0);
  for (let image = 0; image < batchSize; image++) {
    const part = view(backend, dy, image * positions * outChannels, [positions, outChannels]);
    multiply(part, weights, products, positions, outChannels, columns);
    release(backend, part);
    addWindows(floats(backend, products), floats(backend, dx), image * inHeight * inWidth * inChannels, info);
  }
  free(backend, weights, products);
  return dx;
}

function addWindows(products: Float32Array, dx: Float32Array, start: number, info: Info): void {
  const { inHeight, inWidth, inChannels, filterHeight, filterWidth } = info;
  let from = 0;
  for (let oy = 0; oy < info.outHeight; oy++) {
    for (let ox = 0; ox < info.outWidth; ox++) {
      const left = ox * info.strideWidth - info.padInfo.left;
      for (let ky = 0; ky < filterHeight; ky++) {
        const y = oy * info.strideHeight - info.padInfo.top + ky;
        const first = Math.max(0, -left);
        const end = y < 0 || y >= inHeight ? 0 : Math.min(filterWidth, inWidth - left);
        let to = start + (y * inWidth + left + first) * inChannels;
        for (let at = from + first * inChannels; at < from + end * inChannels; at++) {
          dx[to] = dx[to++]! + products[at]!;
        }
        from += filterWidth * inChannels;
      }
    }
  }
}
