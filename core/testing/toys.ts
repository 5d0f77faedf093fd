import type { Tensor4D } from '@tensorflow/tfjs-core';
import { makeRandom } from '../random.ts';
import { confusion } from '../sweep/measure.ts';
import type { Dataset, Mask, MaskPair, Sample, Segmenter, Split, TensorFlow } from '../vocabulary.ts';

/** Weights of a 1x1 convolution: one row per image channel, one column per logit; and one bias per logit. */
export interface LinearWeights {
  readonly weights: readonly (readonly number[])[];
  readonly bias: readonly number[];
}

/**
 * Logits that are linear in the pixel, z = xW + b: everything about it is known in closed form, see
 * {@link linearGradient}. One column makes it a model with one sigmoid logit.
 */
export function linearSegmenter(tf: TensorFlow, { weights, bias }: LinearWeights): Segmenter {
  const channels = bias.length;
  const kernel = tf.tensor4d(weights.flat(), [1, 1, weights.length, channels]);
  const offset = tf.tensor1d([...bias]);
  return {
    channels,
    logits: (x) => tf.tidy(() => tf.add(tf.conv2d(x, kernel, 1, 'same'), offset)),
    fingerprint: `linear:${JSON.stringify([weights, bias])}`,
    dispose: () => tf.dispose([kernel, offset]),
  };
}

/** Two classes, the brighter one being the foreground: logits -+ gain (mean over channels - threshold). */
export function thresholdWeights(channels: number, threshold = 128, gain = 0.02): LinearWeights {
  return {
    weights: Array.from({ length: channels }, () => [-gain / channels, gain / channels]),
    bias: [gain * threshold, -gain * threshold],
  };
}

/** The model of {@link thresholdWeights} as one sigmoid logit, with the same probabilities. */
export function sigmoidThresholdWeights(channels: number, threshold = 128, gain = 0.02): LinearWeights {
  return {
    weights: Array.from({ length: channels }, () => [(2 * gain) / channels]),
    bias: [-2 * gain * threshold],
  };
}

/** Says the same whatever it sees; its gradient is zero everywhere. */
export function constantWeights(channels: number, logits: readonly number[]): LinearWeights {
  return { weights: Array.from({ length: channels }, () => logits.map(() => 0)), bias: logits };
}

/**
 * Gradient of the summed cross-entropy of a {@link linearSegmenter} with respect to its input, in closed form:
 * (softmax(z) - onehot(goal)) W', pixel by pixel.
 *
 * @param pixels intensities, row-major `[..., C]`
 * @param goal one class per pixel
 */
export function linearGradient(
  { weights, bias }: LinearWeights,
  pixels: ArrayLike<number>,
  goal: ArrayLike<number>,
): Float64Array {
  const channels = weights.length;
  const gradient = new Float64Array(goal.length * channels);
  for (let p = 0; p < goal.length; p++) {
    const z = bias.map((b, k) =>
      weights.reduce((sum, row, c) => sum + pixels[p * channels + c]! * row[k]!, b),
    );
    const residual =
      z.length === 1 ? [sigmoid(z[0]!) - goal[p]!] : softmax(z).map((q, k) => q - (k === goal[p] ? 1 : 0));
    weights.forEach((row, c) => {
      gradient[p * channels + c] = row.reduce((sum, w, k) => sum + residual[k]! * w, 0);
    });
  }
  return gradient;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

function softmax(z: readonly number[]): number[] {
  const top = Math.max(...z);
  const powers = z.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Two seeded 3x3 convolutions with tanh between: curved, and every pixel depends on its neighbours. */
export function curvedSegmenter(tf: TensorFlow, imageChannels: number, channels = 2, seed = 0): Segmenter {
  const random = makeRandom(seed)('curved segmenter');
  const kernel = (from: number, to: number, scale: number): Tensor4D =>
    tf.tensor4d(
      Float32Array.from({ length: 9 * from * to }, () => scale * random.normal()),
      [3, 3, from, to],
    );
  const first = kernel(imageChannels, 4, 0.01);
  const second = kernel(4, channels, 1);
  return {
    channels,
    logits: (x) =>
      tf.tidy(() => tf.conv2d(tf.tanh(tf.conv2d(tf.sub(x, 128), first, 1, 'same')), second, 1, 'same')),
    fingerprint: `curved:${JSON.stringify([imageChannels, channels, seed])}`,
    dispose: () => tf.dispose([first, second]),
  };
}

/** What a {@link tinyDataset} looks like. Height and width differ, so that exchanging them shows. */
export interface TinyShape {
  readonly height?: number;
  readonly width?: number;
  readonly channels?: number;
  readonly train?: number;
  readonly test?: number;
  readonly seed?: number;
}

/** Noisy images of one bright rectangle each, in whole grey levels; the rectangle is the foreground. */
export function tinyDataset(shape: TinyShape = {}): Dataset {
  const { height = 8, width = 6, channels = 1, train = 4, test = 3, seed = 0 } = shape;
  const size = [height, width, channels] as const;
  return {
    ...{ height, width, channels },
    domain: { low: 0, high: 255, step: 1 },
    classes: ['background', 'rectangle'],
    train: tinySplit('train', train, size, seed),
    test: tinySplit('test', test, size, seed),
    fingerprint: `tiny:${JSON.stringify([size, train, test, seed])}`,
    notes: [],
  };
}

function tinySplit(
  name: string,
  count: number,
  size: readonly [number, number, number],
  seed: number,
): Split {
  const ids = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  return {
    ids,
    get: async (index) => {
      const id = ids[index];
      if (id === undefined) throw new RangeError(`there is no sample ${index}`);
      return tinySample(id, size, seed);
    },
  };
}

function tinySample(id: string, shape: readonly [number, number, number], seed: number): Sample {
  const [height, width, channels] = shape;
  const random = makeRandom(seed)('tiny', id);
  const mask = rectangle(height, width, random.below(height - 3), random.below(width - 3));
  const noisy = (at: number) => (mask.data[Math.floor(at / channels)] === 1 ? 150 : 60) + random.below(61);
  const data = Float32Array.from({ length: height * width * channels }, (_, at) => noisy(at));
  return { id, image: { shape, data }, mask };
}

function rectangle(height: number, width: number, top: number, left: number): Mask {
  const inside = (y: number, x: number) => y >= top && y < top + 3 && x >= left && x < left + 3;
  const data = Uint8Array.from({ length: height * width }, (_, i) =>
    Number(inside(Math.floor(i / width), i % width)),
  );
  return { shape: [height, width], data };
}

/**
 * Prediction and truth of one class with their counts, as metrics receive them; the model is sure of itself, and the
 * goal is the inverse of the truth.
 */
export function maskPair(
  shape: readonly [height: number, width: number],
  prediction: Iterable<number>,
  truth: Iterable<number>,
): MaskPair {
  const [p, t] = [Uint8Array.from(prediction), Uint8Array.from(truth)];
  const probability = Float32Array.from(p);
  const goal = t.map((value) => 1 - value);
  return { shape, prediction: p, truth: t, confusion: confusion(p, t), probability, goal };
}
