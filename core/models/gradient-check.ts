import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { crossEntropySum } from '../audit/scores.ts';
import type { ModelRequest } from '../plugin.ts';
import type { Random, Segmenter } from '../vocabulary.ts';
import { crossEntropy } from '../gradients/losses.ts';
import { lossGradient } from '../gradients/model.ts';

/** How the gradient of a model compares with differences of its loss. */
export interface GradientCheck {
  readonly directions: number;
  /** Root mean square of the deviations, relative to that of the differences; null where the loss never changes. */
  readonly relativeError: number | null;
}

const DIRECTIONS = 5;
/** Half the distance of the two points, as a part of the intensity range: as the audit does, and for its reasons. */
const HALF_STEP = 2 ** -17;

/**
 * Compares the gradient of the cross-entropy with a random mask, at an image of noise, with central differences along
 * random directions. Differences are summed in double precision.
 */
export async function checkGradient(
  segmenter: Segmenter,
  { height, width, channels, classes, domain }: ModelRequest,
  random: (...key: (string | number)[]) => Random,
): Promise<GradientCheck> {
  const { low, high } = domain;
  const shape: [number, number, number, number] = [1, height, width, channels];
  const size = height * width * channels;
  const drawn = (key: string, value: (r: Random) => number, length = size) => {
    const source = random('gradient check', key);
    return Float32Array.from({ length }, () => value(source));
  };
  // Away from the ends of the range, where a model may clip.
  const image = drawn('image', (r) => low + (0.05 + 0.9 * r.uniform()) * (high - low));
  const mask = drawn('mask', (r) => r.below(classes.length), height * width);
  const loss = async (x: Float32Array) => {
    const logits = await valuesOf(() => segmenter.logits(tf.tensor4d(x, shape)));
    return crossEntropySum(logits, segmenter.channels, mask);
  };
  const gradient = await valuesOf(() => {
    const goal = tf.tensor(mask, [1, height, width], 'int32') as Tensor3D;
    return lossGradient(segmenter, tf.tensor4d(image, shape) as Tensor4D, (z) => crossEntropy(z, goal));
  });
  const h = HALF_STEP * (high - low);
  let [deviation, total] = [0, 0];
  for (let d = 0; d < DIRECTIONS; d++) {
    const signs = drawn(`direction ${d}`, (r) => (r.uniform() < 0.5 ? -h : h));
    const [ahead, behind] = [1, -1].map((way) => image.map((value, i) => value + way * signs[i]!));
    const difference = (await loss(ahead!)) - (await loss(behind!));
    const derivative = gradient.reduce((sum, slope, i) => sum + slope * (ahead![i]! - behind![i]!), 0);
    deviation += (difference - derivative) ** 2;
    total += Math.max(difference ** 2, derivative ** 2);
  }
  return { directions: DIRECTIONS, relativeError: total === 0 ? null : Math.sqrt(deviation / total) };
}

async function valuesOf(compute: () => Tensor4D): Promise<Float32Array> {
  const made = tf.tidy(compute);
  const values = await made.data<'float32'>();
  made.dispose();
  return values;
}
