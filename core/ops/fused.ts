import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

type Args = Parameters<typeof tf.fused.conv2d>[0];
type Activation = NonNullable<Args['activation']>;

const original = tf.fused.conv2d as <T extends Tensor3D | Tensor4D>(args: Args) => T;

/**
 * `tf.fused.conv2d`, which layers and graph models call, for gradients too: convolution and bias stay one kernel, and
 * the filter gradient, which the original computes even when only the input's is wanted, becomes lazy.
 */
export function fusedConv2d<T extends Tensor3D | Tensor4D>(args: Args): T {
  const { x, filter, strides, pad, dataFormat = 'NHWC', dilations = 1, dimRoundingMode } = args;
  const apply = activations[args.activation ?? 'linear'];
  const plain =
    isTensor(x) && isTensor(filter) && x.rank === 4 && dataFormat === 'NHWC' && x.dtype === 'float32';
  if (tf.engine().state.gradientDepth === 0 || !apply || !plain) return original<T>(args);
  if (args.bias === undefined || args.bias === null) {
    return apply(tf.conv2d(x, filter as Tensor4D, strides, pad, dataFormat, dilations, dimRoundingMode)) as T;
  }
  if (!isVector(args.bias)) return original<T>(args);
  const inputs = { x, filter, bias: args.bias };
  const attrs = { strides, pad, dataFormat, dilations, dimRoundingMode, activation: 'linear' };
  return apply(tf.engine().runKernel(tf.FusedConv2D, inputs, attrs as unknown as tf.NamedAttrMap)) as T;
}

/** Activations without parameters, as operators of their own. */
const activations: Partial<Record<Activation, (x: Tensor) => Tensor>> = {
  linear: (x) => x,
  relu: tf.relu,
  relu6: tf.relu6,
  elu: tf.elu,
  sigmoid: tf.sigmoid,
};

function isTensor(value: unknown): value is Tensor {
  return value instanceof tf.Tensor;
}

function isVector(value: unknown): value is Tensor {
  return isTensor(value) && value.rank === 1 && value.dtype === 'float32';
}
