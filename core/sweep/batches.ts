import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Dataset, Sample, Split } from '../vocabulary.ts';

/** Test images as the engine receives them: always `size` of them, the last ones repeated where there are fewer. */
export interface Batch {
  /** Without the padding. */
  readonly samples: readonly Sample[];
  /** With the padding. */
  readonly ids: readonly string[];
  readonly x: Tensor4D;
  readonly truth: Tensor3D;
  dispose(): void;
}

/**
 * Batches of one fixed size. Native kernels give an image the same bits whatever its companions, but not at another
 * batch size: with a fixed size order, limit, shards and resume change nothing.
 */
export async function* batches(split: Split, images: number, size: number): AsyncGenerator<Batch> {
  for (let first = 0; first < images; first += size) {
    const indices = Array.from({ length: Math.min(size, images - first) }, (_, offset) => first + offset);
    const samples = await Promise.all(indices.map((index) => split.get(index)));
    yield toBatch(samples, size);
  }
}

/** One batch of `size` images, the last sample repeated where there are fewer. */
export function toBatch(samples: readonly Sample[], size: number): Batch {
  const padded = Array.from({ length: size }, (_, index) => samples[Math.min(index, samples.length - 1)]!);
  const [height, width, channels] = padded[0]!.image.shape;
  const pixels = new Float32Array(size * height * width * channels);
  const classes = new Int32Array(size * height * width);
  padded.forEach(({ image, mask }, index) => {
    pixels.set(image.data, index * image.data.length);
    classes.set(mask.data, index * mask.data.length);
  });
  const x = tf.tensor4d(pixels, [size, height, width, channels]);
  const truth = tf.tensor3d(classes, [size, height, width], 'int32');
  return { samples, ids: padded.map(({ id }) => id), x, truth, dispose: () => tf.dispose([x, truth]) };
}

/** Whether every intensity is a whole multiple of the domain's step. */
export function isQuantised({ domain }: Pick<Dataset, 'domain'>, samples: readonly Sample[]): boolean {
  return samples.every(({ image }) =>
    image.data.every((value) => Number.isInteger((value - domain.low) / domain.step)),
  );
}
