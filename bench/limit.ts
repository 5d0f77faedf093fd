import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Step } from '../core/plugin.ts';
import type { Subject } from './subject.ts';
import { median } from './timing.ts';

const ROUNDS = 5;

type Shape = [number, number, number, number];

interface Convolution {
  readonly from: Shape;
  readonly to: Shape;
  convolve(x: Tensor4D): Tensor4D;
}

interface ConvolutionConfig {
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilation_rate?: [number, number];
}

/**
 * What an input gradient would take if it were nothing but the network's convolutions, forward and backwards: seconds. They
 * run in one compiled step, independent of each other, as the engine runs them in a network. Convolutions inside
 * layers of our own are not counted.
 */
export async function convolutionLimit({ network, shape: [count], steps }: Subject): Promise<number> {
  const all = network.model.layers.flatMap((layer) => convolutionOf(layer, count) ?? []);
  const step: Step = (...given) =>
    all.flatMap(({ convolve }, i) => {
      const [x, dy] = [given[2 * i] as Tensor4D, given[2 * i + 1] as Tensor4D];
      const { value, grad } = tf.valueAndGrad((input) => convolve(input as Tensor4D))(x, dy);
      // Whole results would stay in memory until the end, where a network uses it again.
      return [value, grad].map((result) => tf.slice(result, [0, 0, 0, 0], [1, 1, 1, 1]));
    });
  const inputs = all.flatMap(({ from, to }) => [tf.ones(from), tf.ones(to)]);
  const run = steps.compile('limit', step);
  const seconds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const started = performance.now();
    const results = run(...inputs);
    // A backend may still be at work until a value is asked for.
    await results.at(-1)!.data();
    seconds.push((performance.now() - started) / 1000);
    tf.dispose(results);
  }
  tf.dispose(inputs);
  return median(seconds.slice(1));
}

/** A layer's convolution without bias and activation. */
function convolutionOf(layer: tfl.layers.Layer, count: number): Convolution | undefined {
  const kind = layer.getClassName();
  if (kind !== 'Conv2D' && kind !== 'Conv2DTranspose') return undefined;
  const { strides, padding, dilation_rate } = layer.getConfig() as unknown as ConvolutionConfig;
  const sized = (shape: unknown) => [count, ...(shape as number[]).slice(1)] as Shape;
  const [from, to] = [sized((layer.input as tfl.SymbolicTensor).shape), sized(layer.outputShape)];
  const kernel = layer.weights[0]!.read() as Tensor4D;
  const convolve = (x: Tensor4D) =>
    kind === 'Conv2D'
      ? tf.conv2d(x, kernel, strides, padding, 'NHWC', dilation_rate)
      : tf.conv2dTranspose(x, kernel, to, strides, padding);
  return { from, to, convolve };
}
