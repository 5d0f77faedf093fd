import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, NamedAttrMap, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';

type Info = tf.backend_util.Conv2DInfo;
type Size4D = [number, number, number, number];
type Range = readonly [before: number, after: number];

/** Gradients of a convolution with respect to its input and its filter, each computed only when it is asked for. */
interface ConvolutionGradients {
  readonly x: () => Tensor4D;
  readonly filter: () => Tensor4D;
}

/** Gradient of `tf.conv2d` for every dilation; TensorFlow.js refuses dilations above 1. */
export const convolutionGradient: GradConfig = {
  kernelName: tf.Conv2D,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, [x, filter], attrs) => ({
    ...gradientsOf(dy as Tensor4D, x as Tensor4D, filter as Tensor4D, attrs),
  }),
};

/** Gradient of the fused kernel without an activation: that of the convolution, and the bias summed over pixels. */
export const fusedConvolutionGradient: GradConfig = {
  kernelName: tf.FusedConv2D,
  inputsToSave: ['x', 'filter', 'bias'],
  gradFunc: (dy, [x, filter, bias], attrs) => ({
    ...gradientsOf(dy as Tensor4D, x as Tensor4D, filter as Tensor4D, attrs),
    bias: () => tf.reshape(tf.sum(dy as Tensor4D, [0, 1, 2]), bias!.shape),
  }),
};

function gradientsOf(dy: Tensor4D, x: Tensor4D, filter: Tensor4D, attrs: NamedAttrMap): ConvolutionGradients {
  const { dilations, strides, pad, dataFormat, dimRoundingMode } = attrs as unknown as tf.Conv2DAttrs;
  if (tf.backend_util.tupleValuesAreOne(dilations)) {
    return {
      x: () => inputGradient(x.shape, dy, filter, attrs),
      filter: () => filterGradient(x, dy, filter.shape, attrs),
    };
  }
  if (dataFormat !== 'NHWC')
    throw new Error(`the gradient of a dilated convolution needs NHWC, not ${dataFormat}`);
  const shape = filter.shape;
  const info = tf.backend_util.computeConv2DInfo(x.shape, shape, strides, dilations, pad, dimRoundingMode);
  return {
    x: () => dilatedInputGradient(dy, filter, info),
    filter: () => dilatedFilterGradient(dy, x, info),
  };
}

function inputGradient(inputShape: Size4D, dy: Tensor4D, filter: Tensor4D, attrs: NamedAttrMap): Tensor4D {
  return tf.engine().runKernel(tf.Conv2DBackpropInput, { dy, filter }, { ...attrs, inputShape });
}

function filterGradient(x: Tensor4D, dy: Tensor4D, filterShape: Size4D, attrs: NamedAttrMap): Tensor4D {
  if (stridesOverPixels(filterShape, attrs)) return sampledFilterGradient(x, dy, filterShape, attrs);
  return tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, { ...attrs, filterShape });
}

/** Whether a filter of one pixel leaves pixels out, as the shortcuts of a ResNet do. */
function stridesOverPixels([height, width]: Size4D, attrs: NamedAttrMap): boolean {
  const { strides, pad, dataFormat } = attrs as unknown as tf.Conv2DAttrs;
  const unpadded = pad === 'same' || pad === 'valid' || pad === 0;
  const steps = !tf.backend_util.tupleValuesAreOne(strides);
  return height === 1 && width === 1 && steps && unpadded && dataFormat === 'NHWC';
}

/**
 * One matrix product over the pixels that such a filter sees. TensorFlow's own kernel writes beyond its memory here: with
 * oneDNN on AVX-512, for 1x1 filters from 8 to 16 channels with stride 2, it ends the process.
 */
function sampledFilterGradient(x: Tensor4D, dy: Tensor4D, shape: Size4D, attrs: NamedAttrMap): Tensor4D {
  const { strides } = attrs as unknown as tf.Conv2DAttrs;
  const [down, across] = typeof strides === 'number' ? [strides, strides] : strides;
  return tf.tidy(() => {
    const seen = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, down, across, 1]);
    const [pixels, flat] = [tf.reshape(seen, [-1, shape[2]]), tf.reshape(dy, [-1, shape[3]])];
    return tf.reshape(tf.matMul(pixels as Tensor2D, flat as Tensor2D, true, false), shape);
  });
}

/** Dilated convolutions have stride 1: dx is the dilated convolution of dy with the turned filter. */
function dilatedInputGradient(dy: Tensor4D, filter: Tensor4D, info: Info): Tensor4D {
  const { padInfo, inHeight, inWidth, outHeight, outWidth, dilationHeight, dilationWidth } = info;
  const [height, width] = [info.effectiveFilterHeight - 1, info.effectiveFilterWidth - 1];
  return tf.tidy(() => {
    const rows = [height - padInfo.top, inHeight - outHeight + padInfo.top] as const;
    const columns = [width - padInfo.left, inWidth - outWidth + padInfo.left] as const;
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as Tensor4D;
    const padded = padOrCrop(dy, rows, columns);
    return tf.conv2d(padded, turned, 1, 'valid', 'NHWC', [dilationHeight, dilationWidth]);
  });
}

/** One matrix product per tap of the filter: the input under that tap, transposed, times dy. */
function dilatedFilterGradient(dy: Tensor4D, x: Tensor4D, info: Info): Tensor4D {
  const { padInfo, batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } =
    info;
  return tf.tidy(() => {
    const { top, bottom, left, right } = padInfo;
    const padded = padOrCrop(x, [top, bottom], [left, right]);
    const flat = tf.reshape(dy, [-1, outChannels]) as Tensor2D;
    const taps = Array.from({ length: filterHeight * filterWidth }, (_, tap) => {
      const y = Math.floor(tap / filterWidth) * info.dilationHeight;
      const column = (tap % filterWidth) * info.dilationWidth;
      const under = tf.slice4d(padded, [0, y, column, 0], [batchSize, outHeight, outWidth, inChannels]);
      return tf.matMul(tf.reshape(under, [-1, inChannels]), flat, true, false);
    });
    return tf.reshape(tf.stack(taps), [filterHeight, filterWidth, inChannels, outChannels]);
  });
}

/** Zero padding, where negative amounts crop. */
function padOrCrop(x: Tensor4D, rows: Range, columns: Range): Tensor4D {
  const { shape } = x;
  const cut = ([before, after]: Range) => [Math.max(0, -before), Math.max(0, -after)] as const;
  const grow = ([before, after]: Range): [number, number] => [Math.max(0, before), Math.max(0, after)];
  const [[top, bottom], [left, right]] = [cut(rows), cut(columns)];
  const size: Size4D = [shape[0], shape[1] - top - bottom, shape[2] - left - right, shape[3]];
  const kept = top + bottom + left + right === 0 ? x : tf.slice4d(x, [0, top, left, 0], size);
  return tf.pad(kept, [[0, 0], grow(rows), grow(columns), [0, 0]]) as Tensor4D;
}
