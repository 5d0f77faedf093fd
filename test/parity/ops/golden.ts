import { readFileSync } from 'node:fs';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Tf } from './row.ts';

export interface Packed {
  readonly shape: number[];
  readonly data: number[];
}

/** Inputs, and what PyTorch makes of them. */
export interface Golden {
  readonly inputs: readonly Packed[];
  readonly weights: Packed;
  readonly output: Packed;
  /** Of the sum of weights times output. */
  readonly gradients: readonly Packed[];
}

// How the numbers came to be: fixtures/parity/generate/ops.py and the provenance inside the file.
const path = new URL('../../../fixtures/parity/ops.json', import.meta.url);
export const goldens = (JSON.parse(readFileSync(path, 'utf8')) as { cases: Record<string, Golden> }).cases;

const resize = (size: [number, number], aligned: boolean) => (tf: Tf, inputs: Tensor[]) =>
  tf.image.resizeBilinear(inputs[0] as Tensor4D, size, aligned, !aligned);

/** The same operators in TensorFlow.js, by the name of the golden case. */
export const goldenRuns: Readonly<Record<string, (tf: Tf, inputs: Tensor[]) => Tensor>> = {
  'bilinear up, aligned corners': resize([9, 7], true),
  'bilinear up, half-pixel centres': resize([9, 7], false),
  'bilinear down, aligned corners': resize([3, 4], true),
  'bilinear down, half-pixel centres': resize([3, 4], false),
  'conv2d, dilation 2': (tf, [x, w]) => tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same', 'NHWC', 2),
  'conv2d, stride 2, padded by 1': (tf, [x, w]) => tf.conv2d(x as Tensor4D, w as Tensor4D, 2, 1),
  'conv2dTranspose, stride 2': (tf, [x, w]) =>
    tf.conv2dTranspose(x as Tensor4D, w as Tensor4D, [1, 6, 8, 2], 2, 'valid'),
  depthwiseConv2d: (tf, [x, w]) => tf.depthwiseConv2d(x as Tensor4D, w as Tensor4D, 1, 'same'),
  'maxPool 3x3, stride 2, padded by 1, with ties': (tf, [x]) => tf.maxPool(x as Tensor4D, 3, 2, 1),
  'avgPool 3x3, stride 2, padded by 1': (tf, [x]) => tf.avgPool(x as Tensor4D, 3, 2, 1),
  'batchNorm of the batch': (tf, [x, offset, scale]) => {
    const { mean, variance } = tf.moments(x!, [0, 1, 2]);
    const moments = [mean, variance] as [Tensor1D, Tensor1D];
    return tf.batchNorm(x as Tensor4D, ...moments, offset as Tensor1D, scale as Tensor1D, 1e-5);
  },
};
