import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { adjointAlong } from './adjoint.ts';

/**
 * Gradient of reflecting and symmetric padding: what the border shows is added to where it came from. That of
 * TensorFlow.js drops the border.
 */
export const mirrorPadGradient: GradConfig = {
  kernelName: tf.MirrorPad,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => {
      const { paddings, mode } = attrs as unknown as tf.MirrorPadAttrs;
      return tf.tidy(() =>
        paddings.reduce(
          (y, padding, axis) =>
            padding[0] + padding[1] === 0
              ? y
              : adjointAlong(y, mirrorMatrix(x!.shape[axis]!, padding, mode), axis),
          dy as Tensor,
        ),
      );
    },
  }),
};

/** The matrix that pads a column of `from` values. */
function mirrorMatrix(from: number, padding: [number, number], mode: 'reflect' | 'symmetric'): Tensor2D {
  return tf.mirrorPad(tf.eye(from), [padding, [0, 0]], mode);
}
