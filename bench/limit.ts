import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Subject } from './subject.ts';
import { median } from './timing.ts';

const ROUNDS = 3;

interface ConvolutionConfig {
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilation_rate?: [number, number];
}

/**
 * What an input gradient would take if it were nothing but the network's convolutions, forward and backwards, each run
 * alone by the backend's own operators: seconds. Convolutions inside layers of our own are not counted.
 */
export async function convolutionLimit({ network, shape: [count] }: Subject): Promise<number> {
  let seconds = 0;
  for (const layer of network.model.layers) {
    const run = convolutionOf(layer, count);
    if (run) seconds += await time(run);
  }
  return seconds;
}

/** Forward and input gradient of one layer's convolution, without bias and activation. */
function convolutionOf(layer: tfl.layers.Layer, count: number): (() => Tensor4D) | undefined {
  const kind = layer.getClassName();
  if (kind !== 'Conv2D' && kind !== 'Conv2DTranspose') return undefined;
  const { strides, padding, dilation_rate } = layer.getConfig() as unknown as ConvolutionConfig;
  const sized = (shape: unknown) =>
    [count, ...(shape as number[]).slice(1)] as [number, number, number, number];
  const [from, to] = [sized((layer.input as tfl.SymbolicTensor).shape), sized(layer.outputShape)];
  const kernel = layer.weights[0]!.read() as Tensor4D;
  const convolve = (x: Tensor4D) =>
    kind === 'Conv2D'
      ? tf.conv2d(x, kernel, strides, padding, 'NHWC', dilation_rate)
      : tf.conv2dTranspose(x, kernel, to, strides, padding);
  return () =>
    tf.tidy(() => {
      const [x, dy] = [tf.ones<tf.Rank.R4>(from), tf.ones<tf.Rank.R4>(to)];
      return tf.grad((input) => convolve(input as Tensor4D))(x, dy) as Tensor4D;
    });
}

async function time(run: () => Tensor4D): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const started = performance.now();
    const result = run();
    await result.data();
    result.dispose();
    seconds.push((performance.now() - started) / 1000);
  }
  return median(seconds.slice(1));
}
