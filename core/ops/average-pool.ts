import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { adjointAlong } from './adjoint.ts';

type Attrs = tf.AvgPoolAttrs;

/**
 * Gradient of average-pooling. Windows that reach into the padding average the pixels inside; the gradient kernels of
 * the cpu and wasm backends divide by the whole window there. With padding the gradient is therefore the adjoint along
 * rows and columns, each by the matrix that the forward kernel makes of the identity.
 */
export const averagePoolGradient: GradConfig = {
  kernelName: tf.AvgPool,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => {
    const attrs = attributes as unknown as Attrs;
    return {
      x: () => (isPadded(x!, attrs) ? adjoint(dy as Tensor, x!, attrs) : kernelGradient(dy, x!, attrs)),
    };
  },
};

function isPadded({ shape }: Tensor, { filterSize, strides, pad, dimRoundingMode }: Attrs): boolean {
  const size = shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(size, filterSize, strides, 1, pad, dimRoundingMode);
  const { top, bottom, left, right } = info.padInfo;
  return top + bottom + left + right > 0;
}

function kernelGradient(dy: Tensor | Tensor[], input: Tensor, attrs: Attrs): Tensor {
  return tf.engine().runKernel(tf.AvgPoolGrad, { dy: dy as Tensor, input }, { ...attrs });
}

function adjoint(dy: Tensor, x: Tensor, attrs: Attrs): Tensor {
  return tf.tidy(() =>
    ([1, 2] as const).reduce(
      (y: Tensor, axis) => adjointAlong(y, poolMatrix(x.shape[axis]!, axis, attrs), axis),
      dy,
    ),
  );
}

/** The matrix `[to,from]` that pools a column of `from` values with the windows of one axis of an image. */
function poolMatrix(
  from: number,
  axis: 1 | 2,
  { filterSize, strides, pad, dimRoundingMode }: Attrs,
): Tensor2D {
  const along = (value: [number, number] | number) => (typeof value === 'number' ? value : value[axis - 1]!);
  const padding = typeof pad === 'string' ? pad : explicit(pad, axis);
  const attrs = { filterSize: [along(filterSize), 1], strides: [along(strides), 1], pad: padding };
  const x = tf.reshape(tf.eye(from), [1, from, 1, from]);
  const rounding = dimRoundingMode ? { dimRoundingMode } : {};
  const pooled = tf
    .engine()
    .runKernel(tf.AvgPool, { x }, { ...attrs, ...rounding } as unknown as tf.NamedAttrMap);
  return tf.reshape(pooled as Tensor, [-1, from]);
}

function explicit(
  pad: number | tf.backend_util.ExplicitPadding,
  axis: 1 | 2,
): tf.backend_util.ExplicitPadding {
  const own: [number, number] = typeof pad === 'number' ? [pad, pad] : pad[axis];
  return [[0, 0], own, [0, 0], [0, 0]];
}
