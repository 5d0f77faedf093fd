import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, NamedAttrMap, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { adjointAlong } from './adjoint.ts';

type Kernel = typeof tf.ResizeBilinear | typeof tf.ResizeNearestNeighbor;

/**
 * Gradients of the two resizing kernels `[N,H,W,C]` to `[N,H',W',C]` in every convention (aligned corners, half-pixel
 * centres, neither): the exact adjoint Ry' dy Rx of y = Ry x Rx'. Both matrices are what the forward kernel of the
 * running backend makes of the identity, so forward and gradient cannot disagree about the convention. The gradient
 * kernels of TensorFlow.js know nothing of half-pixel centres, and the cpu ones fail for other reasons too.
 */
export const resizeGradients: readonly GradConfig[] = [tf.ResizeBilinear, tf.ResizeNearestNeighbor].map(
  (kernelName) => ({
    kernelName,
    inputsToSave: ['images'],
    gradFunc: (dy, [images], attrs) => ({
      images: () => resizeAdjoint(kernelName as Kernel, dy as Tensor, images!.shape, attrs),
    }),
  }),
);

function resizeAdjoint(kernel: Kernel, dy: Tensor, shape: readonly number[], attrs: NamedAttrMap): Tensor {
  return tf.tidy(() =>
    [1, 2].reduce(
      (y, axis) => adjointAlong(y, resizeMatrix(kernel, shape[axis]!, dy.shape[axis]!, attrs), axis),
      dy,
    ),
  );
}

/** The matrix `[to,from]` that resizes a column of `from` values to `to`. */
function resizeMatrix(kernel: Kernel, from: number, to: number, attrs: NamedAttrMap): Tensor2D {
  const images = tf.reshape(tf.eye(from), [1, from, 1, from]);
  const resized = tf.engine().runKernel(kernel, { images }, { ...attrs, size: [to, 1] }) as Tensor;
  return tf.reshape(resized, [to, from]);
}
