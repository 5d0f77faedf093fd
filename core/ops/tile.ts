import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';

/** Gradient of tiling: copies are added up, axis by axis. That of TensorFlow.js stops at four axes. */
export const tileGradient: GradConfig = {
  kernelName: tf.Tile,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => tf.tidy(() => untiled(dy as Tensor, x!.shape, (attrs as unknown as tf.TileAttrs).reps)),
  }),
};

function untiled(dy: Tensor, shape: readonly number[], reps: readonly number[]): Tensor {
  let y = dy;
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    inner *= shape[axis]!;
    if (reps[axis]! > 1) y = tf.sum(tf.reshape(y, [-1, reps[axis]!, inner]), 1);
  }
  return tf.reshape(y, [...shape]);
}
