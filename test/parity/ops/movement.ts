import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { at, build, reshape, within } from './array.ts';
import { X, type Row } from './row.ts';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const begin = [1, 1, 2, 0];
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
