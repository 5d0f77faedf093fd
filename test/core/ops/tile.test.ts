import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { installGradients } from '../../../core/ops/index.ts';

installGradients();

test.each([
  [[3], [2]],
  [
    [2, 3],
    [3, 1],
  ],
  [
    [1, 2, 1, 2, 3],
    [2, 1, 3, 2, 2],
  ],
])('the gradient of tiling %j by %j adds up the copies', (shape, reps) => {
  const x = tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape);
  // Each element of the sum is weighted by its place, so that copies that are confused show.
  const places = tf.range(0, tf.util.sizeFromShape(shape) * tf.util.sizeFromShape(reps));
  const weights = tf.reshape(
    places,
    shape.map((side, axis) => side * reps[axis]!),
  );
  const gradient = tf.grad((v: tf.Tensor) => tf.sum(tf.mul(tf.tile(v, reps), weights)))(x);
  const wanted = new Float32Array(x.size);
  const from = tf.tile(x, reps).dataSync();
  from.forEach((origin, place) => (wanted[origin]! += place));
  expect(gradient.shape).toEqual(shape);
  expect(Array.from(gradient.dataSync())).toEqual(Array.from(wanted));
});
