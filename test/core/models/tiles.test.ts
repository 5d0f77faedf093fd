import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy, inverseMask } from '../../../core/index.ts';
import { tiled } from '../../../core/models/tiles.ts';
import { curvedSegmenter, makeContext } from '../../../core/testing/index.ts';
import { grey } from './support.ts';

/** Two 3 x 3 convolutions: a logit depends on two pixels around it. */
const radius = 2;

beforeAll(async () => {
  await makeContext();
});

const largest = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;

describe.each([
  ['of tiles that fit evenly', { height: 20, width: 20 }, { size: 12, overlap: 2 * radius }],
  ['whose last tiles overlap more', { height: 23, width: 17 }, { size: 8, overlap: 2 * radius }],
  ['as large as one tile', { height: 16, width: 16 }, { size: 16, overlap: 4 }],
  ['of a single row of tiles', { height: 10, width: 31 }, { size: 10, overlap: 5 }],
])('an image %s', (_what, shape, tile) => {
  const x = grey([2, shape.height, shape.width, 1]);
  const model = () => curvedSegmenter(tf as never, 1);

  it('has the logits of the untiled model, seams included', () => {
    expect(largest(tiled(model(), shape, tile).logits(x), model().logits(x))).toBeLessThan(1e-4);
  });

  it('has its gradient', () => {
    const truth = tf.cast(tf.squeeze(tf.greater(x, 128), [3]), 'int32') as tf.Tensor3D;
    const goal = inverseMask(truth, 2);
    const gradient = (logits: (x: Tensor4D) => Tensor4D) =>
      tf.grad((input) => crossEntropy(logits(input as Tensor4D), goal))(x);
    expect(largest(gradient(tiled(model(), shape, tile).logits), gradient(model().logits))).toBeLessThan(
      1e-4,
    );
  });
});

describe('tiles', () => {
  const shape = { height: 20, width: 20 };

  it('that overlap too little differ near the seams, and only there', () => {
    const x = grey([1, 20, 20, 1]);
    const model = curvedSegmenter(tf as never, 1);
    const difference = tf.abs(
      tf.sub(tiled(model, shape, { size: 10, overlap: 0 }).logits(x), model.logits(x)),
    );
    const rows = tf.max(difference, [0, 2, 3]).arraySync() as number[];
    expect(rows.slice(8, 12).every((value) => value > 1e-3)).toBe(true);
    const inner = tf.slice(difference as Tensor4D, [0, 0, 0, 0], [1, 8, 8, 2]);
    expect(tf.max(inner).dataSync()[0]).toBeLessThan(1e-4);
  });

  it('show the model their own size, and belong to its identity', () => {
    const seen: number[][] = [];
    const model = curvedSegmenter(tf as never, 1);
    const watched = { ...model, logits: (x: Tensor4D) => (seen.push(x.shape), model.logits(x)) };
    const made = tiled(watched, shape, { size: 8, overlap: 2 });
    made.logits(grey([3, 20, 20, 1]));
    expect(seen).toEqual(new Array(9).fill([3, 8, 8, 1]));
    const others = [
      model,
      tiled(model, shape, { size: 8, overlap: 4 }),
      tiled(model, { height: 20, width: 26 }, { size: 8, overlap: 2 }),
    ];
    expect(new Set([made, ...others].map(({ fingerprint }) => fingerprint)).size).toBe(4);
  });

  it.each([
    { size: 21, overlap: 4 },
    { size: 8, overlap: 8 },
  ])('of %j are refused', (tile) => {
    const attempt = () => tiled(curvedSegmenter(tf as never, 1), shape, tile);
    expect(attempt).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
