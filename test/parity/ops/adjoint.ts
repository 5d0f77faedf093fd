import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Tf } from './row.ts';

/** An operator that is linear in each of its inputs, at sizes that networks have. */
export interface LinearOperator {
  readonly name: string;
  readonly inputs: readonly (readonly number[])[];
  readonly run: (tf: Tf, inputs: Tensor[]) => Tensor;
}

type Pad = 'same' | 'valid' | number;

const conv = (
  x: readonly number[],
  filter: readonly number[],
  stride: number,
  pad: Pad,
  dilation = 1,
): LinearOperator => ({
  name: `conv2d of ${x.join('x')} by ${filter.join('x')}, stride ${stride}, dilation ${dilation}, ${pad}`,
  inputs: [x, filter],
  run: (tf, [a, b]) => tf.conv2d(a as Tensor4D, b as Tensor4D, stride, pad, 'NHWC', dilation),
});

const convolutions: LinearOperator[] = [
  conv([3, 33, 29, 5], [3, 3, 5, 7], 1, 'same'),
  // More output positions than one product of the wasm filter gradient sums over.
  conv([2, 130, 131, 3], [3, 3, 3, 8], 1, 'same'),
  conv([5, 64, 64, 4], [5, 5, 4, 3], 1, 'valid'),
  conv([2, 32, 40, 16], [1, 1, 16, 9], 1, 'same'),
  conv([2, 65, 64, 3], [7, 7, 3, 8], 2, 3),
  conv([2, 31, 32, 8], [3, 3, 8, 8], 2, 'same'),
  // TensorFlow's own kernel for the gradient of this filter ends the process on some processors.
  conv([1, 16, 16, 8], [1, 1, 8, 16], 2, 'same'),
  conv([2, 15, 18, 8], [1, 1, 8, 16], 2, 'valid'),
  conv([2, 32, 30, 8], [2, 2, 8, 4], 2, 'valid'),
  conv([2, 33, 31, 6], [3, 3, 6, 5], 3, 1),
  ...[2, 4, 8, 16].map((dilation) => conv([2, 24, 33, 4], [3, 3, 4, 6], 1, 'same', dilation)),
  conv([1, 33, 30, 4], [3, 2, 4, 6], 1, 'valid', 5),
];

const resizes: LinearOperator[] = [{}, { alignCorners: true }, { halfPixelCenters: true }].flatMap(
  (convention) => {
    const { alignCorners = false, halfPixelCenters = false } = convention as Record<string, boolean>;
    const how = Object.keys(convention)[0] ?? 'legacy';
    return [
      [64, 48],
      [17, 40],
      [13, 9],
      [1, 1],
    ].flatMap(([height, width]): LinearOperator[] => {
      const size: [number, number] = [height!, width!];
      const inputs = [[2, 32, 24, 5]];
      return [
        {
          name: `resizeBilinear to ${size.join('x')}, ${how}`,
          inputs,
          run: (tf, [x]) => tf.image.resizeBilinear(x as Tensor4D, size, alignCorners, halfPixelCenters),
        },
        {
          name: `resizeNearestNeighbor to ${size.join('x')}, ${how}`,
          inputs,
          run: (tf, [x]) =>
            tf.image.resizeNearestNeighbor(x as Tensor4D, size, alignCorners, halfPixelCenters),
        },
      ];
    });
  },
);

/** Operators whose gradient must be their exact adjoint in every input. */
export const linear: readonly LinearOperator[] = [
  ...convolutions,
  ...resizes,
  {
    name: 'conv2dTranspose 2x2 stride 2',
    inputs: [
      [2, 16, 15, 8],
      [2, 2, 4, 8],
    ],
    run: (tf, [x, filter]) =>
      tf.conv2dTranspose(x as Tensor4D, filter as Tensor4D, [2, 32, 30, 4], 2, 'same'),
  },
  {
    name: 'depthwiseConv2d 3x3 stride 2',
    inputs: [
      [2, 31, 30, 6],
      [3, 3, 6, 2],
    ],
    run: (tf, [x, filter]) => tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, 2, 'same'),
  },
  {
    name: 'depthwiseConv2d 3x3 dilation 4',
    inputs: [
      [2, 31, 30, 6],
      [3, 3, 6, 2],
    ],
    run: (tf, [x, filter]) => tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, 1, 'same', 'NHWC', 4),
  },
  {
    name: 'stridedSlice',
    inputs: [[2, 31, 30, 6]],
    run: (tf, [x]) => tf.stridedSlice(x!, [0, 29, 2, 0], [2, 1, 28, 6], [1, -3, 4, 1]),
  },
  {
    name: 'matMul of attention size',
    inputs: [
      [2, 256, 40],
      [2, 100, 40],
    ],
    run: (tf, [a, b]) => tf.matMul(a!, b!, false, true),
  },
  {
    name: 'mirrorPad',
    inputs: [[2, 9, 8, 3]],
    run: (tf, [x]) =>
      tf.mirrorPad(
        x!,
        [
          [0, 0],
          [2, 3],
          [4, 1],
          [0, 0],
        ],
        'symmetric',
      ),
  },
  { name: 'avgPool', inputs: [[2, 31, 32, 5]], run: (tf, [x]) => tf.avgPool(x as Tensor4D, 3, 2, 'same') },
];
