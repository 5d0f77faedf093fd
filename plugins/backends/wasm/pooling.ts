import { backend_util, MaxPoolGrad, type KernelConfig, type MaxPoolGradAttrs } from '@tensorflow/tfjs-core';
import { allocate, floats, kernel } from './memory.ts';

type Info = backend_util.Conv2DInfo;

/** Gradient of max-pooling: each value of dy goes to the first maximum of its window, in reading order. */
export function maxPoolGradient(): KernelConfig {
  return kernel<MaxPoolGradAttrs>(MaxPoolGrad, (backend, { dy, input }, attrs) => {
    const { filterSize, strides, pad, dimRoundingMode } = attrs;
    const shape = input!.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const dx = allocate(backend, input!.shape);
    floats(backend, dx).fill(0);
    scatterToMaxima(floats(backend, dy!), floats(backend, input!), floats(backend, dx), info);
    return dx;
  });
}

function scatterToMaxima(dy: Float32Array, x: Float32Array, dx: Float32Array, info: Info): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { strideHeight, strideWidth, effectiveFilterHeight, effectiveFilterWidth } = info;
  let from = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideHeight - padInfo.top;
      const y0 = Math.max(0, top);
      const y1 = Math.min(inHeight, top + effectiveFilterHeight);
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideWidth - padInfo.left;
        const x0 = Math.max(0, left);
        const x1 = Math.min(inWidth, left + effectiveFilterWidth);
        const corner = ((image * inHeight + y0) * inWidth + x0) * inChannels;
        for (let channel = 0; channel < inChannels; channel++) {
          let best = corner + channel;
          let row = best;
          for (let y = y0; y < y1; y++, row += inWidth * inChannels) {
            for (let i = 0, at = row; i < x1 - x0; i++, at += inChannels) if (x[at]! > x[best]!) best = at;
          }
          dx[best] = dx[best]! + dy[from++]!;
        }
      }
    }
  }
}
