import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';

/**
 * Gradient of slicing with strides, which TensorFlow.js lacks: dy at the places that were taken, zero between and
 * around them. Cropping becomes this operator in exported graphs.
 */
export const stridedSliceGradient: GradConfig = {
  kernelName: tf.StridedSlice,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => tf.tidy(() => scattered(dy as Tensor, x!.shape, attrs as unknown as tf.StridedSliceAttrs)),
  }),
};

function scattered(dy: Tensor, shape: number[], attrs: tf.StridedSliceAttrs): Tensor {
  if (dy.size === 0) return tf.zeros(shape);
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
  const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
  const { begin, end, strides } = tf.slice_util.sliceInfo(
    shape,
    attrs.begin,
    attrs.end,
    attrs.strides,
    ...masks,
  );
  const taken = tf.slice_util.computeOutShape(begin, end, strides);
  const backwards = shape.flatMap((_, axis) => (strides[axis]! < 0 ? [axis] : []));
  const dense = tf.reshape(dy, taken);
  const forwards = backwards.length > 0 ? tf.reverse(dense, backwards) : dense;
  const borders: [number, number][] = [];
  const spread = shape.reduce((y: Tensor, side, axis) => {
    const step = Math.abs(strides[axis]!);
    const first = strides[axis]! > 0 ? begin[axis]! : begin[axis]! - step * (taken[axis]! - 1);
    const length = Math.min(step * taken[axis]!, side - first);
    borders.push([first, side - first - length]);
    return step === 1 ? y : dilated(y, axis, step, length);
  }, forwards);
  return tf.pad(spread, borders);
}

/** Zeros between neighbours along an axis, which then has `length` places. */
function dilated(y: Tensor, axis: number, step: number, length: number): Tensor {
  const inner = tf.util.sizeFromShape(y.shape.slice(axis + 1));
  const apart = tf.pad2d(tf.reshape(y, [-1, inner]), [
    [0, 0],
    [0, (step - 1) * inner],
  ]);
  const wide = tf.reshape(apart, y.shape.with(axis, y.shape[axis]! * step));
  return tf.slice(wide, new Array<number>(y.rank).fill(0), y.shape.with(axis, length));
}
