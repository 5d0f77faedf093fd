import { backend_util, type Conv2DBackpropInputAttrs } from '@tensorflow/tfjs-core';

export type Info = backend_util.Conv2DInfo;
export type Shape4D = [number, number, number, number];

/** Sizes, strides and pads of a convolution without dilation, channels last. */
export function convInfo(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dimRoundingMode, dataFormat }: Omit<Conv2DBackpropInputAttrs, 'inputShape'>,
): Info {
  if (dataFormat === 'NCHW') throw new Error('The wasm backend computes convolutions of NHWC only.');
  return backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode, false);
}
