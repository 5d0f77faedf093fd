import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

/**
 * Installs gradients of operators that no bundled network has, but networks from elsewhere do, and that TensorFlow.js has
 * no gradient of. Calling it again changes nothing.
 */
export function installGradients(): void {
  if (tf.fused.depthwiseConv2d === fusedDepthwiseConv2d) return;
  for (const config of [depthwiseGradient, depthToSpaceGradient, gatherNdGradient, ...truthGradients]) {
    if (tf.getGradient(config.kernelName)) tf.unregisterGradient(config.kernelName);
    tf.registerGradient(config);
  }
  Object.assign(tf.fused, { depthwiseConv2d: fusedDepthwiseConv2d });
}

/** Gradient of `tf.depthwiseConv2d` for every dilation; TensorFlow.js refuses dilations above 1. */
const depthwiseGradient: GradConfig = {
  kernelName: tf.DepthwiseConv2dNative,
  inputsToSave: ['x', 'filter'],
  gradFunc: (given, [input, weights], attrs) => {
    const [dy, x, filter] = [given, input, weights] as [Tensor4D, Tensor4D, Tensor4D];
    const { strides, pad, dimRoundingMode, ...rest } = attrs as unknown as tf.DepthwiseConv2dNativeAttrs;
    // Layers say null where they mean 1.
    const dilations = (rest.dilations as typeof rest.dilations | null) ?? 1;
    const { shape } = filter;
    if (tf.backend_util.tupleValuesAreOne(dilations)) {
      const run = (kernel: string, inputs: tf.NamedTensorMap, size: tf.NamedAttrMap) =>
        tf.engine().runKernel<Tensor>(kernel, inputs, { ...attrs, dilations, ...size });
      return {
        x: () => run(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, { inputShape: x.shape }),
        filter: () => run(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, { filterShape: shape }),
      };
    }
    const info = tf.backend_util.computeConv2DInfo(
      x.shape,
      shape,
      strides,
      dilations,
      pad,
      dimRoundingMode,
      true,
    );
    return { x: () => inputGradient(dy, filter, info), filter: () => filterGradient(dy, x, info) };
  },
};

type Info = tf.backend_util.Conv2DInfo;

/** Dilated convolutions have stride 1: dx is the dilated convolution of dy with the turned filter, for each multiple. */
function inputGradient(dy: Tensor4D, filter: Tensor4D, info: Info): Tensor4D {
  const { padInfo, inHeight, inWidth, outHeight, outWidth, inChannels, dilationHeight, dilationWidth } = info;
  const [height, width] = [info.effectiveFilterHeight - 1, info.effectiveFilterWidth - 1];
  const multiples = filter.shape[3];
  return tf.tidy(() => {
    const padded = tf.pad4d(dy, [
      [0, 0],
      [height - padInfo.top, inHeight - outHeight + padInfo.top],
      [width - padInfo.left, inWidth - outWidth + padInfo.left],
      [0, 0],
    ]);
    const [batch, high, wide] = padded.shape;
    const parts = tf.unstack(tf.reshape(padded, [-1, inChannels, multiples]) as Tensor3D, 2);
    const turned = tf.split<Tensor4D>(tf.reverse(filter, [0, 1]), multiples, 3);
    const each = parts.map((part, m) => {
      const image = tf.reshape(part, [batch, high, wide, inChannels]) as Tensor4D;
      return tf.depthwiseConv2d(image, turned[m]!, 1, 'valid', 'NHWC', [dilationHeight, dilationWidth]);
    });
    return each.length === 1 ? each[0]! : tf.addN(each);
  });
}

/** For each tap of the filter: the input under that tap times dy, summed over pixels. */
function filterGradient(dy: Tensor4D, x: Tensor4D, info: Info): Tensor4D {
  const { padInfo, batchSize, outHeight, outWidth, inChannels, outChannels, filterHeight, filterWidth } =
    info;
  return tf.tidy(() => {
    const { top, bottom, left, right } = padInfo;
    const padded = tf.pad4d(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const multiples = outChannels / inChannels;
    const pixels = tf.reshape(dy, [-1, inChannels, multiples]);
    const taps = Array.from({ length: filterHeight * filterWidth }, (_, tap) => {
      const row = Math.floor(tap / filterWidth) * info.dilationHeight;
      const column = (tap % filterWidth) * info.dilationWidth;
      const under = tf.slice4d(padded, [0, row, column, 0], [batchSize, outHeight, outWidth, inChannels]);
      return tf.sum(tf.mul(tf.reshape(under, [-1, inChannels, 1]), pixels), 0);
    });
    return tf.reshape(tf.stack(taps), [filterHeight, filterWidth, inChannels, multiples]);
  });
}

type DepthwiseArgs = Parameters<typeof tf.fused.depthwiseConv2d>[0];
const original = tf.fused.depthwiseConv2d as <T extends Tensor3D | Tensor4D>(args: DepthwiseArgs) => T;

/** In parts where gradients are wanted, for the same reason. */
function fusedDepthwiseConv2d<T extends Tensor3D | Tensor4D>(args: DepthwiseArgs): T {
  const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode, bias, activation } = args;
  // The original takes other activations apart itself.
  if (tf.engine().state.gradientDepth === 0 || (activation ?? 'linear') !== 'linear')
    return original<T>(args);
  const y = tf.depthwiseConv2d(
    x as T,
    filter as Tensor4D,
    strides,
    pad,
    dataFormat,
    dilations,
    dimRoundingMode,
  );
  return bias ? tf.add(y, bias) : y;
}

/** Gradient of moving channels into blocks of pixels: back into channels. */
const depthToSpaceGradient: GradConfig = {
  kernelName: tf.DepthToSpace,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => {
      const { blockSize } = attrs as unknown as tf.DepthToSpaceAttrs;
      const [batch, height, width] = x!.shape as [number, number, number];
      return tf.tidy(() => {
        const blocks = tf.reshape(dy as Tensor, [batch, height, blockSize, width, blockSize, -1]);
        return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), x!.shape);
      });
    },
  }),
};

/** Gradient of taking parts by tuples of indices: they are added up where they came from. */
const gatherNdGradient: GradConfig = {
  kernelName: tf.GatherNd,
  inputsToSave: ['params', 'indices'],
  gradFunc: (dy, [params, indices]) => ({
    params: () => tf.scatterND(indices!, dy as Tensor, params!.shape),
    indices: () => tf.zeros(indices!.shape),
  }),
};

/**
 * Gradients of what is true or false: zero, wherever they exist. TensorFlow.js has some of them, and without the others
 * nothing that chooses by comparing has a gradient.
 */
const truthGradients: readonly GradConfig[] = [
  ...[tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.Equal, tf.NotEqual].map(zero('a', 'b')),
  ...[tf.LogicalAnd, tf.LogicalOr, tf.LogicalXor].map(zero('a', 'b')),
  ...[tf.LogicalNot, tf.All, tf.Any].map(zero('x')),
];

function zero(...inputs: readonly string[]) {
  return (kernelName: string): GradConfig => ({
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_, saved) =>
      Object.fromEntries(inputs.map((name, index) => [name, () => tf.zeros(saved[index]!.shape)])),
  });
}
