import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { at, build, map, reshape, within } from './array.ts';
import { X, type Row } from './row.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const begin = [1, 1, 2, 0];

interface Strided {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  /** Of begin, end, ellipsis, new axis and shrunk axis: one bit for each axis. */
  readonly masks?: readonly [number, number, number, number, number];
  readonly out: readonly number[];
  readonly from: (index: number[]) => number[];
}

const strided = (what: string, { begin, end, strides, masks, out, from }: Strided): Row => ({
  name: `stridedSlice ${what}`,
  inputs: [X],
  run: (tf, [x]) => tf.stridedSlice(x!, begin, end, strides, ...(masks ?? [])),
  reference: ([x]) => build(out, (index) => at(x!, from(index))),
});

const stridedSlices: Row[] = [
  strided('that crops', {
    ...{ begin: [0, 1, 1, 0], end: [0, -1, -2, 0], strides: [1, 1, 1, 1], masks: [9, 9, 0, 0, 0] },
    ...{ out: [2, 3, 3, 3], from: ([n, y, c, k]) => [n!, y! + 1, c! + 1, k!] },
  }),
  strided('of every second row and third column', {
    ...{ begin: [0, 0, 1, 0], end: [2, 5, 6, 3], strides: [1, 2, 3, 1] },
    ...{ out: [2, 3, 2, 3], from: ([n, y, c, k]) => [n!, 2 * y!, 1 + 3 * c!, k!] },
  }),
  strided('backwards', {
    ...{ begin: [0, 3, 0, 0], end: [0, 0, 0, 0], strides: [1, -1, -2, 1], masks: [13, 13, 0, 0, 0] },
    ...{ out: [2, 3, 3, 3], from: ([n, y, c, k]) => [n!, 3 - y!, 5 - 2 * c!, k!] },
  }),
  strided('with an ellipsis', {
    ...{ begin: [1, 0, -2], end: [2, 0, 3], strides: [1, 1, 1], masks: [0, 0, 2, 0, 0] },
    ...{ out: [1, 5, 6, 2], from: ([, y, c, k]) => [1, y!, c!, k! + 1] },
  }),
  strided('that drops an axis and adds one', {
    ...{ begin: [0, 0, -4], end: [1, 0, -3], strides: [1, 1, 1], masks: [1, 1, 0, 2, 4] },
    ...{ out: [2, 1, 6, 3], from: ([n, , c, k]) => [n!, 1, c!, k!] },
  }),
  strided('of one channel', {
    ...{ begin: [0, 1], end: [0, 2], strides: [1, 1], masks: [0, 0, 1, 0, 2] },
    ...{ out: [2, 5, 6], from: ([n, y, c]) => [n!, y!, c!, 1] },
  }),
];
export const movementRows: readonly Row[] = [
  ...[0, 1, 3].map((axis): Row => ({
    name: `concat along ${axis}`,
    inputs: [X, X.with(axis, 2)],
    run: (tf, inputs) => tf.concat(inputs, axis),
    reference: ([a, b]) =>
      build(X.with(axis, X[axis]! + 2), (index) => {
        const i = index[axis]!;
        return i < X[axis]! ? at(a!, index) : at(b!, index.with(axis, i - X[axis]!));
      }),
  })),
  ...[
    [1, 3, 2, 3],
    [1, 4, 4, 2],
    [1, 1, 4, 3],
  ].map((size): Row => ({
    name: `slice of ${size.join('x')}`,
    inputs: [X],
    run: (tf, [x]) => tf.slice(x!, begin, size),
    reference: ([x]) =>
      build(size, (index) =>
        at(
          x!,
          index.map((i, axis) => i + begin[axis]!),
        ),
      ),
  })),
  ...stridedSlices,
  {
    name: 'depthToSpace',
    inputs: [[2, 2, 3, 12]],
    run: (tf, [x]) => tf.depthToSpace(x as Tensor4D, 2),
    reference: ([x]) =>
      build([2, 4, 6, 3], ([n, y, c, k]) =>
        at(x!, [n!, y! >> 1, c! >> 1, ((y! % 2) * 2 + (c! % 2)) * 3 + k!]),
      ),
  },
  {
    name: 'gatherND',
    inputs: [[3, 4, 2]],
    run: (tf, [x]) => tf.gatherND(x!, tf.tensor2d([2, 1, 0, 3, 2, 1], [3, 2], 'int32')),
    reference: ([x]) =>
      build([3, 2], ([i, k]) =>
        at(x!, [
          ...[
            [2, 1],
            [0, 3],
            [2, 1],
          ][i!]!,
          k!,
        ]),
      ),
  },
  {
    name: 'where of comparisons',
    inputs: [X],
    run: (tf, [x]) => {
      const middle = tf.logicalAnd(tf.greater(x!, -0.401), tf.logicalNot(tf.greaterEqual(x!, 0.502)));
      const some = tf.logicalOr(middle, tf.less(x!, -0.803));
      return tf.where(tf.logicalXor(some, tf.lessEqual(x!, -0.901)), tf.square(x!), tf.mul(x!, 3));
    },
    reference: ([x]) =>
      map(x!, (v) => ((v > -0.401 && v < 0.502) || (v < -0.803 && v > -0.901) ? v * v : 3 * v)),
  },
  {
    name: 'slice of a vector',
    inputs: [[9]],
    run: (tf, [x]) => tf.slice(x!, [3], [4]),
    reference: ([x]) => build([4], ([i]) => at(x!, [i! + 3])),
  },
  {
    name: 'split, second part',
    inputs: [X],
    run: (tf, [x]) => tf.split(x!, [2, 4], 2)[1]!,
    reference: ([x]) => build([2, 5, 4, 3], ([n, y, c, k]) => at(x!, [n!, y!, c! + 2, k!])),
  },
  {
    name: 'pad',
    inputs: [X],
    run: (tf, [x]) =>
      tf.pad(x!, [
        [0, 0],
        [1, 2],
        [3, 0],
        [0, 1],
      ]),
    reference: ([x]) => build([2, 8, 9, 4], ([n, y, c, k]) => within(x!, [n!, y! - 1, c! - 3, k!])),
  },
  {
    name: 'mirrorPad',
    inputs: [X],
    run: (tf, [x]) =>
      tf.mirrorPad(
        x!,
        [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        'reflect',
      ),
    reference: ([x]) => {
      const mirror = (i: number, side: number) => (i < 0 ? -i : i >= side ? 2 * side - 2 - i : i);
      return build([2, 7, 8, 3], ([n, y, c, k]) => at(x!, [n!, mirror(y! - 1, 5), mirror(c! - 1, 6), k!]));
    },
  },
  {
    name: 'transpose',
    inputs: [X],
    run: (tf, [x]) => tf.transpose(x!, [0, 3, 1, 2]),
    reference: ([x]) => build([2, 3, 5, 6], ([n, k, y, c]) => at(x!, [n!, y!, c!, k!])),
  },
  {
    name: 'reverse',
    inputs: [X],
    run: (tf, [x]) => tf.reverse(x!, [1, 2]),
    reference: ([x]) => build(X, ([n, y, c, k]) => at(x!, [n!, 4 - y!, 5 - c!, k!])),
  },
  {
    name: 'reshape',
    inputs: [X],
    run: (tf, [x]) => tf.reshape(x!, [10, 18]),
    reference: ([x]) => reshape(x!, [10, 18]),
  },
  ...[
    [1, 2, 3, 1],
    [2, 1, 1, 4],
  ].map((reps): Row => ({
    name: `tile ${reps.join('x')}`,
    inputs: [[1, 2, 2, 3]],
    run: (tf, [x]) => tf.tile(x!, reps),
    reference: ([x]) =>
      build(
        [1, 2, 2, 3].map((side, i) => side * reps[i]!),
        (index) =>
          at(
            x!,
            index.map((i, axis) => i % [1, 2, 2, 3][axis]!),
          ),
      ),
  })),
  {
    name: 'stack',
    inputs: [
      [2, 3],
      [2, 3],
    ],
    run: (tf, inputs) => tf.stack(inputs, 1),
    reference: (inputs) => build([2, 2, 3], ([n, i, k]) => at(inputs[i!]!, [n!, k!])),
  },
  {
    name: 'gather',
    inputs: [[5, 3]],
    run: (tf, [x]) => tf.gather(x!, tf.tensor1d([4, 0, 4], 'int32')),
    reference: ([x]) => build([3, 3], ([i, k]) => at(x!, [[4, 0, 4][i!]!, k!])),
  },
  {
    name: 'oneHot',
    inputs: [[6]],
    domain: (v) => Math.floor(2 * v + 2),
    run: (tf, [x]) => tf.cast(tf.oneHot(tf.cast(x as Tensor1D, 'int32'), 4), 'float32'),
    reference: ([x]) => build([6, 4], ([i, k]) => Number(at(x!, [i!]) === k)),
    forwardOnly: true,
  },
  {
    name: 'argMax',
    inputs: [X],
    run: (tf, [x]) => tf.cast(tf.argMax(x!, 3), 'float32'),
    reference: ([x]) =>
      build([2, 5, 6], (index) => {
        const values = range(3).map((k) => at(x!, [...index, k]));
        return values.indexOf(Math.max(...values));
      }),
    forwardOnly: true,
  },
  {
    name: 'spaceToBatchND and a product',
    inputs: [[1, 4, 4, 2]],
    run: (tf, [x]) =>
      tf.square(
        tf.spaceToBatchND(
          x!,
          [2, 2],
          [
            [0, 0],
            [0, 0],
          ],
        ),
      ),
    reference: ([x]) =>
      build(
        [4, 2, 2, 2],
        ([b, y, c, k]) => at(x!, [0, 2 * y! + Math.floor(b! / 2), 2 * c! + (b! % 2), k!]) ** 2,
      ),
  },
  {
    name: 'eye times x',
    inputs: [[3, 3]],
    run: (tf, [x]) => tf.matMul(tf.eye(3), x as Tensor2D),
    reference: ([x]) => x!,
  },
];
