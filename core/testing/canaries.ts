import type { Tensor4D } from '@tensorflow/tfjs-core';
import { commonestClass } from '../audit/checks/floor.ts';
import { makeRandom } from '../random.ts';
import type { Dataset, Segmenter, TensorFlow } from '../vocabulary.ts';
import { samplesOf } from './batches.ts';
import { constantWeights, linearSegmenter } from './toys.ts';

/**
 * Models that look robust and are not, or say nothing: each must be caught by a check of the masking audit. Those made
 * of another model share its weights, and dispose of it.
 */

/** Predicts as the model does, but hands back a gradient of zero. The check `zero-gradient` catches it. */
export function gradientKiller(tf: TensorFlow, segmenter: Segmenter): Segmenter {
  const kill = tf.customGrad((x) => ({ value: tf.clone(x as Tensor4D), gradFunc: (dy) => tf.zerosLike(dy) }));
  return guarded(segmenter, 'gradient killer', (x) => kill(x) as Tensor4D);
}

/**
 * Shows the model an image rounded to few grey levels. The gradient of rounding is zero, which `zero-gradient` catches;
 * with `straightThrough` it is taken for one, which `finite-difference` catches.
 *
 * @param step distance of the grey levels, in intensity units
 */
export function inputQuantiser(
  tf: TensorFlow,
  segmenter: Segmenter,
  { step = 32, straightThrough = false }: { step?: number; straightThrough?: boolean } = {},
): Segmenter {
  const round = (x: Tensor4D): Tensor4D => tf.mul(tf.round(tf.div(x, step)), step);
  const through = tf.customGrad((x) => ({ value: round(x as Tensor4D), gradFunc: (dy) => dy as Tensor4D }));
  const transform = straightThrough ? (x: Tensor4D) => through(x) as Tensor4D : round;
  return guarded(segmenter, `input quantiser ${step} ${straightThrough}`, transform);
}

/**
 * Adds new noise to the image at every call. The check `determinism` catches it.
 *
 * @param deviation standard deviation in intensity units
 */
export function noiseAdder(tf: TensorFlow, segmenter: Segmenter, deviation = 8): Segmenter {
  const random = makeRandom(0)('noise adder');
  const noise = (x: Tensor4D) =>
    tf.tensor4d(
      Float32Array.from({ length: x.size }, () => deviation * random.normal()),
      x.shape,
    );
  return guarded(segmenter, `noise adder ${deviation}`, (x) => tf.add(x, noise(x)));
}

/** Predicts the commonest class of each pixel in the training masks, whatever it sees. `prior-floor` catches it. */
export async function priorOnly(tf: TensorFlow, dataset: Dataset): Promise<Segmenter> {
  const classes = dataset.classes.length;
  const masks = (await samplesOf(dataset.train)).map(({ mask }) => mask);
  const shape: [number, number, number] = [dataset.height, dataset.width, classes];
  const prior = tf.tidy(() => {
    const commonest = tf.tensor1d(commonestClass(masks, classes), 'int32');
    return tf.reshape(tf.mul(tf.oneHot(commonest, classes), 10), shape);
  });
  const constant = constantModel(tf, dataset.channels, classes, 0);
  return {
    channels: classes,
    fingerprint: `prior only ${dataset.fingerprint}`,
    logits: (x) => tf.tidy(() => tf.add(constant.logits(x), prior)),
    dispose: () => (prior.dispose(), constant.dispose()),
  };
}

/** Predicts one class everywhere. `prior-floor` catches it, and `zero-gradient`. */
export function constantModel(tf: TensorFlow, imageChannels: number, classes = 2, predicted = 1): Segmenter {
  const logits = Array.from({ length: classes }, (_, k) => (k === predicted ? 1 : 0));
  return linearSegmenter(tf, constantWeights(imageChannels, logits));
}

function guarded(segmenter: Segmenter, name: string, transform: (x: Tensor4D) => Tensor4D): Segmenter {
  return {
    ...segmenter,
    fingerprint: `${name}: ${segmenter.fingerprint}`,
    logits: (x) => segmenter.logits(transform(x)),
  };
}
