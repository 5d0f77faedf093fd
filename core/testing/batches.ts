import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Sample, Split, TensorFlow } from '../vocabulary.ts';

/** All samples of a split, in order. */
export function samplesOf(split: Split): Promise<Sample[]> {
  return Promise.all(split.ids.map((_, index) => split.get(index)));
}

/** Images as one batch `[N,H,W,C]` in intensity units. */
export function imageBatch(tf: TensorFlow, samples: readonly Sample[]): Tensor4D {
  const data = samples.flatMap(({ image }) => [...image.data]);
  return tf.tensor4d(data, [samples.length, ...samples[0]!.image.shape], 'float32');
}

/** Masks as one batch `[N,H,W]` of int32 classes. */
export function maskBatch(tf: TensorFlow, samples: readonly Sample[]): Tensor3D {
  const data = samples.flatMap(({ mask }) => [...mask.data]);
  return tf.tensor3d(data, [samples.length, ...samples[0]!.mask.shape], 'int32');
}
