import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { defineModel, importDefault, RobustError, type Image } from '../../core/index.ts';
import type { ForeignModel } from './foreign/model.ts';
import { makeSegmenter } from './foreign/segmenter.ts';

/** What the function returns: `[H,W]`, or `[H,W,K]` with a channel for each class. */
interface Answer {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export default defineModel({
  name: 'javascript',
  summary:
    'Any JavaScript function as a black box: it has no gradient, so only attacks that need none test it.',
  options: {
    file: {
      description:
        'Module whose default export maps an image { shape: [H,W,C], data } in intensity units to { shape, data }, at once.',
      type: 'string',
      minLength: 1,
    },
    kind: {
      description: 'What it returns: [H,W] of class indices, or [H,W,K] of probabilities or logits.',
      enum: ['labels', 'probabilities', 'logits'],
      default: 'labels',
    },
  },
  open: async (request, { file, kind }, ctx) => {
    const path = resolve(ctx.baseDir, file);
    if (!existsSync(path))
      throw wrong('The module does not exist.', path, 'a file such as ./predict.ts', 'nothing');
    const predict: unknown = await importDefault(path, ctx.baseDir);
    if (typeof predict !== 'function')
      throw wrong('The module has no function as its default export.', path, 'a function', typeof predict);
    const { tf } = ctx;
    const whole = { batch: 1, height: undefined, width: undefined, channels: undefined };
    const model: ForeignModel = {
      path,
      fingerprint: createHash('sha256').update(readFileSync(path)).digest('hex'),
      input: whole,
      output: { name: 'default', kind },
      layout: 'nhwc',
      gradient: false,
      scale: () => ({ value: 1, reason: 'a function is given intensities as they are' }),
      compute: (images: Tensor4D) => {
        const [, height, width, channels] = images.shape;
        const image: Image = { shape: [height, width, channels], data: images.dataSync<'float32'>() };
        const { shape, data } = answerOf(predict(image), path, [height, width]);
        const made: Tensor = tf.tensor(Float32Array.from(data), [1, ...shape]);
        return { shape: made.shape, as: () => made };
      },
      dispose: () => undefined,
    };
    const asIs = { kind, scale: 1, mean: [0], std: [1], order: 'rgb', multiple: 1, fit: 'stretch' } as const;
    const text = 'the model is a function without a gradient: only attacks that need none work';
    return makeSegmenter(model, request, asIs, ctx, [{ text }]);
  },
});

function answerOf(answer: unknown, path: string, [height, width]: [number, number]): Answer {
  const { shape, data } = (answer ?? {}) as Partial<Answer>;
  const size = Array.isArray(shape) ? shape.reduce((product: number, side: number) => product * side, 1) : 0;
  if (shape && data && shape[0] === height && shape[1] === width && shape.length <= 3 && data.length === size)
    return { shape, data };
  const received =
    answer instanceof Promise ? 'a promise' : `shape [${String(shape)}] with ${String(data?.length)} values`;
  throw wrong(
    'The function returned something else than a mask.',
    path,
    `{ shape: [${height}, ${width}], data }, at once`,
    received,
  );
}

function wrong(message: string, where: string, expected: string, received: string): RobustError {
  return new RobustError('REFERENCE_FAILED', {
    message,
    where,
    expected,
    received,
    next: 'see docs/own-model.md',
  });
}
