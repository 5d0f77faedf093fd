import type * as tfc from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { map, zip } from './array.ts';
import * as ref from './reference.ts';
import { X, type Row } from './row.ts';

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

const conv = (
  name: string,
  x: readonly number[],
  filter: readonly number[],
  windows: ref.Windows,
  pad: 'same' | 'valid' | number | tfc.backend_util.ExplicitPadding,
): Row => ({
  name: `conv2d ${name}`,
  inputs: [x, filter],
  run: (tf, [a, b]) =>
    tf.conv2d(a as Tensor4D, b as Tensor4D, windows.stride, pad, 'NHWC', windows.dilation ?? 1),
  reference: ([a, b]) => ref.conv2d(a!, b!, windows),
});

const convolutions: Row[] = [
  conv('3x3 same', X, [3, 3, 3, 4], { stride: 1, before: 1, out: [5, 6] }, 'same'),
  conv('3x3 valid', X, [3, 3, 3, 8], { stride: 1, before: 0, out: [3, 4] }, 'valid'),
  conv('1x1', X, [1, 1, 3, 2], { stride: 1, before: 0, out: [5, 6] }, 'same'),
  conv('5x5 padded by 2', X, [5, 5, 3, 2], { stride: 1, before: 2, out: [5, 6] }, 2),
  conv(
    'padded by more than the filter',
    [1, 3, 3, 2],
    [2, 2, 2, 2],
    { stride: 1, before: 2, out: [6, 6] },
    2,
  ),
  conv('2x2 same', X, [2, 2, 3, 2], { stride: 1, before: 0, out: [5, 6] }, 'same'),
  conv('3x3 stride 2 padded by 1', [2, 6, 6, 3], [3, 3, 3, 4], { stride: 2, before: 1, out: [3, 3] }, 1),
  conv('3x3 stride 2 same', [2, 6, 6, 3], [3, 3, 3, 4], { stride: 2, before: 0, out: [3, 3] }, 'same'),
  conv('7x7 stride 2 padded by 3', [1, 8, 8, 2], [7, 7, 2, 2], { stride: 2, before: 3, out: [4, 4] }, 3),
  conv('1x1 stride 2', [2, 6, 6, 3], [1, 1, 3, 4], { stride: 2, before: 0, out: [3, 3] }, 'same'),
  conv(
    '3x3 dilation 2 same',
    [2, 6, 7, 3],
    [3, 3, 3, 2],
    { stride: 1, before: 2, dilation: 2, out: [6, 7] },
    'same',
  ),
  conv(
    '3x3 dilation 4 same',
    [1, 5, 7, 2],
    [3, 3, 2, 2],
    { stride: 1, before: 4, dilation: 4, out: [5, 7] },
    'same',
  ),
  conv(
    '3x3 dilation 2 valid',
    [1, 7, 6, 2],
    [3, 3, 2, 2],
    { stride: 1, before: 0, dilation: 2, out: [3, 2] },
    'valid',
  ),
  conv(
    '2x2 dilation 3 padded by 4',
    [1, 4, 4, 2],
    [2, 2, 2, 1],
    { stride: 1, before: 4, dilation: 3, out: [9, 9] },
    4,
  ),
  ...(['linear', 'relu', 'sigmoid'] as const).map((activation): Row => ({
    name: `fused conv2d with bias and ${activation}`,
    inputs: [X, [3, 3, 3, 2], [2]],
    run: (tf, [x, filter, bias]) =>
      tf.fused.conv2d({
        x: x as Tensor4D,
        filter: filter as Tensor4D,
        bias: bias!,
        strides: 1,
        pad: 'same',
        activation,
      }),
    reference: ([x, filter, bias]) => {
      const y = ref.conv2d(x!, filter!, { stride: 1, before: 1, out: [5, 6] });
      const act = { linear: (v: number) => v, relu: (v: number) => Math.max(0, v), sigmoid }[activation];
      return map(
        zip(y, bias!, (v, b) => v + b),
        act,
      );
    },
  })),
  ...(
    [
      [2, 2, 0, [6, 8], 'same'],
      [3, 2, 0, [6, 8], 'same'],
      [4, 2, 1, [6, 8], 'same'],
      [3, 1, 0, [5, 6], 'valid'],
    ] as const
  ).map(([size, stride, before, out, pad]): Row => ({
    name: `conv2dTranspose ${size}x${size} stride ${stride} ${pad}`,
    inputs: [
      [2, 3, 4, 3],
      [size, size, 2, 3],
    ],
    run: (tf, [x, filter]) =>
      tf.conv2dTranspose(x as Tensor4D, filter as Tensor4D, [2, ...out, 2], stride, pad),
    reference: ([x, filter]) => ref.conv2dTranspose(x!, filter!, { stride, before, out }),
  })),
  ...(
    [
      ['same', 1, 1, 1, [5, 6]],
      ['valid', 2, 1, 0, [2, 2]],
      ['same', 1, 2, 2, [5, 6]],
      ['valid', 1, 2, 0, [1, 2]],
    ] as const
  ).flatMap(([pad, stride, dilation, before, out]): Row[] => {
    const how = `3x3 stride ${stride} dilation ${dilation} ${pad}`;
    const windows = { stride, dilation, before, out };
    return [
      {
        name: `depthwiseConv2d ${how}`,
        inputs: [X, [3, 3, 3, 2]],
        run: (tf, [x, filter]) =>
          tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, stride, pad, 'NHWC', dilation),
        reference: ([x, filter]) => ref.depthwise(x!, filter!, windows),
      },
      {
        name: `fused depthwiseConv2d ${how} with bias`,
        inputs: [X, [3, 3, 3, 1], [3]],
        run: (tf, [x, filter, bias]) =>
          tf.fused.depthwiseConv2d({
            ...{ x: x as Tensor4D, filter: filter as Tensor4D, bias: bias! },
            ...{ strides: stride, pad, dilations: dilation },
          }),
        reference: ([x, filter, bias]) => zip(ref.depthwise(x!, filter!, windows), bias!, (a, b) => a + b),
      },
    ];
  }),
];

const pools: Row[] = (
  [
    ['max', 2, 2, 0, [2, 3], 'valid', X],
    ['max', 3, 2, 1, [3, 3], 1, [1, 6, 6, 2]],
    ['max', 2, 2, 0, [3, 3], 'same', X],
    ['max', 3, 1, 1, [5, 6], 'same', X],
    ['avg', 2, 2, 0, [2, 3], 'valid', X],
    ['avg', 3, 2, 1, [3, 3], 'same', [1, 5, 5, 2]],
  ] as const
).map(([kind, size, stride, before, out, pad, shape]) => ({
  name: `${kind}Pool ${size}x${size} stride ${stride} ${pad}`,
  inputs: [shape],
  run: (tf, [x]) => (kind === 'max' ? tf.maxPool : tf.avgPool)(x as Tensor4D, size, stride, pad),
  reference: ([x]) => ref.pool(kind, x!, size, { stride, before, out }),
}));

const conventions = [{}, { alignCorners: true }, { halfPixelCenters: true }];
const sizes = [
  [10, 12],
  [7, 4],
  [3, 2],
  [5, 6],
] as const;
const resizes: Row[] = conventions.flatMap((convention) =>
  sizes.flatMap((size): Row[] => {
    const { alignCorners = false, halfPixelCenters = false } = convention as Partial<ref.Resizing>;
    const how = `${size.join('x')} ${Object.keys(convention)[0] ?? 'legacy'}`;
    const target: [number, number] = [...size];
    return [
      {
        name: `resizeBilinear to ${how}`,
        inputs: [X],
        run: (tf, [x]) => tf.image.resizeBilinear(x as Tensor4D, target, alignCorners, halfPixelCenters),
        reference: ([x]) => ref.resizeBilinear(x!, { size, ...convention }),
      },
      {
        name: `resizeNearestNeighbor to ${how}`,
        inputs: [X],
        run: (tf, [x]) =>
          tf.image.resizeNearestNeighbor(x as Tensor4D, target, alignCorners, halfPixelCenters),
        reference: ([x]) => ref.resizeNearest(x!, { size, ...convention }),
      },
    ];
  }),
);

export const spatialRows: readonly Row[] = [...convolutions, ...pools, ...resizes];
