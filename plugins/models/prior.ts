import { createHash } from 'node:crypto';
import { defineModel, IGNORED, RobustError, type Split } from '../../core/index.ts';

export default defineModel({
  name: 'prior',
  summary: 'The baseline that needs no image: it predicts where training masks have their foreground.',
  options: {
    threshold: {
      description: 'Share of the training masks above which a pixel is foreground.',
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.5,
    },
  },
  async open({ height, width, classes, train }, { threshold }, { tf, signal }) {
    const counts = await countClasses(train, height * width, classes.length, signal);
    // The foreground beats the background where its odds exceed those of the threshold.
    const advantage = Math.log((1 - threshold) / threshold);
    const values = counts.map(
      (count, i) => Math.log((count + 0.5) / train.ids.length) + (i % classes.length > 0 ? advantage : 0),
    );
    const prior = tf.tensor4d(values, [1, height, width, classes.length]);
    return {
      channels: classes.length,
      blind: true,
      // The image enters with weight 0: a function that leaves its input out has no gradient at all.
      logits: (x) => tf.tidy(() => tf.add(prior, tf.mul(tf.sum(x, 3, true), 0))),
      fingerprint: createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex'),
      dispose: () => prior.dispose(),
    };
  },
});

/** How many training masks have a class at a pixel, `[pixels, classes]`. */
async function countClasses(
  { ids, get }: Split,
  pixels: number,
  classes: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  if (ids.length === 0) {
    throw new RobustError('DATASET_EMPTY', {
      message: 'The baseline `prior` is the mean of the training masks, and the data set has none.',
      where: 'prior',
      expected: 'at least one training image with a mask',
      received: '0 training images',
      next: 'give the data set a training part, or leave the subject out',
    });
  }
  const counts = new Float32Array(pixels * classes);
  for (const index of ids.keys()) {
    signal.throwIfAborted();
    const { mask } = await get(index);
    mask.data.forEach((value, pixel) => {
      if (value !== IGNORED) counts[pixel * classes + value]! += 1;
    });
  }
  return counts;
}
