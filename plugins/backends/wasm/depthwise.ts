import {
  backend_util,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type KernelConfig,
} from '@tensorflow/tfjs-core';
import { allocate, floats, kernel } from './memory.ts';

type Info = backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];

/** The two gradients of depthwise convolution, which the package lacks. */
export function depthwiseGradients(): KernelConfig[] {
  return [
    kernel<DepthwiseConv2dNativeBackpropInputAttrs>(
      DepthwiseConv2dNativeBackpropInput,
      (backend, { dy, filter }, attrs) => {
        const info = depthwiseInfo(attrs.inputShape, filter!.shape as Shape4D, attrs);
        const dx = allocate(backend, attrs.inputShape);
        const [target, from, weights] = [dx, dy!, filter!].map((tensor) => floats(backend, tensor));
        target!.fill(0);
        forEachTap(info, (input, output, tap) =>
          addToInput(target!, input, from!, output, weights!, tap, info),
        );
        return dx;
      },
    ),
    kernel<DepthwiseConv2dNativeBackpropFilterAttrs>(
      DepthwiseConv2dNativeBackpropFilter,
      (backend, { x, dy }, attrs) => {
        const info = depthwiseInfo(x!.shape as Shape4D, attrs.filterShape, attrs);
        const dFilter = allocate(backend, attrs.filterShape);
        const [from, source] = [dy!, x!].map((tensor) => floats(backend, tensor));
        const total = new Float64Array(info.filterHeight * info.filterWidth * info.outChannels);
        forEachTap(info, (input, output, tap) =>
          addToFilter(total, tap, source!, input, from!, output, info),
        );
        floats(backend, dFilter).set(total);
        return dFilter;
      },
    ),
  ];
}

/** Calls `visit` with the places of the first channel of input, output and filter wherever a tap meets the input. */
function forEachTap(info: Info, visit: (input: number, output: number, tap: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  for (let row = 0; row < batchSize * outHeight; row++) {
    const image = Math.floor(row / outHeight);
    const top = (row % outHeight) * info.strideHeight - padInfo.top;
    for (let tap = 0; tap < info.filterHeight * info.filterWidth; tap++) {
      const y = top + Math.floor(tap / info.filterWidth) * info.dilationHeight;
      if (y < 0 || y >= inHeight) continue;
      const shift = (tap % info.filterWidth) * info.dilationWidth - padInfo.left;
      for (let ox = 0; ox < outWidth; ox++) {
        const column = ox * info.strideWidth + shift;
        if (column < 0 || column >= inWidth) continue;
        const input = ((image * inHeight + y) * inWidth + column) * inChannels;
        visit(input, (row * outWidth + ox) * outChannels, tap * outChannels);
      }
    }
  }
}

function addToInput(
  dx: Float32Array,
  input: number,
  dy: Float32Array,
  output: number,
  filter: Float32Array,
  tap: number,
  { inChannels, outChannels }: Info,
): void {
  const multiplier = outChannels / inChannels;
  for (let channel = 0, i = 0; channel < inChannels; channel++) {
    let sum = 0;
    for (let m = 0; m < multiplier; m++, i++) sum += dy[output + i]! * filter[tap + i]!;
    dx[input + channel] = dx[input + channel]! + sum;
  }
}

function addToFilter(
  total: Float64Array,
  tap: number,
  x: Float32Array,
  input: number,
  dy: Float32Array,
  output: number,
  { inChannels, outChannels }: Info,
): void {
  const multiplier = outChannels / inChannels;
  for (let channel = 0, i = 0; channel < inChannels; channel++) {
    const value = x[input + channel]!;
    for (let m = 0; m < multiplier; m++, i++) total[tap + i] = total[tap + i]! + value * dy[output + i]!;
  }
}

function depthwiseInfo(
  inputShape: Shape4D,
  filterShape: Shape4D,
  attrs: Omit<DepthwiseConv2dNativeBackpropInputAttrs, 'inputShape'>,
): Info {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
}
