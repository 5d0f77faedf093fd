import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { ModelRequest } from '../../../core/index.ts';
import type { Kind, Made } from './model.ts';
import { misfit, type Notes } from './notes.ts';

export type Layout = 'nchw' | 'nhwc';

/** Which axis holds the classes: the one that is not a side of the image. */
export function outputLayout(
  shape: readonly number[],
  { height, width }: { height: number; width: number },
): Layout {
  const fits = (rows: number, columns: number) =>
    Math.abs(rows / columns - height / width) < 0.05 * (height / width);
  const [, a, b, c] = shape as [number, number, number, number];
  if (shape.length === 3) return 'nhwc';
  if (shape.length === 4 && (fits(b, c) || fits(a, b)))
    return fits(b, c) && !(fits(a, b) && c < a) ? 'nchw' : 'nhwc';
  throw misfit(
    'The output of the model is no map of the image.',
    `[N, K, ${height}, ${width}], or smaller by one factor`,
    `[${shape.join(', ')}]`,
    "choose another 'output'",
  );
}

/** Values `[N,H,W,K]`; without an axis of classes K is 1. */
export function asImages(made: Made, layout: Layout): Tensor4D {
  const order = layout === 'nchw' ? [0, 2, 3, 1] : [0, 1, 2, 3];
  const tensor = made.shape.length === 3 ? tf.expandDims(made.as([0, 1, 2]), 3) : made.as(order);
  return tf.cast(tensor, 'float32') as Tensor4D;
}

/** Values that lie between 0 and 1, and add up to 1 where there are several, are probabilities. */
export function guessKind(values: Tensor4D, notes: Notes): Kind {
  const [low, high] = [tf.min(values).dataSync()[0]!, tf.max(values).dataSync()[0]!];
  const farthest = tf.max(tf.abs(tf.sub(tf.sum(values, 3), 1))).dataSync()[0]!;
  const whole = tf.max(tf.abs(tf.sub(values, tf.round(values)))).dataSync()[0] === 0;
  const single = values.shape[3] === 1;
  if (single && whole && low >= 0 && low !== high)
    return said('labels', 'its values are whole numbers', notes);
  if (low >= 0 && high <= 1 && (single || farthest < 1e-3)) {
    return said('probabilities', single ? 'its values lie between 0 and 1' : 'its values add up to 1', notes);
  }
  return said('logits', low < 0 ? 'it has negative values' : 'its values are not between 0 and 1', notes);
}

function said(kind: Kind, reason: string, notes: Notes): Kind {
  const text = `the output is taken for ${kind}: ${reason} (option kind)`;
  notes.push({ text, option: 'kind', value: kind });
  return kind;
}

/** Confidence that no attack can lower: labels say nothing about how sure the model was. */
const CERTAIN = 20;
/** Probabilities are kept this far from 0 and 1, where logarithms end. */
const MARGIN = 1e-7;

/** What softmax, or with one channel sigmoid, turns into the probabilities that the values are or mean. */
export function asLogits(values: Tensor4D, kind: Kind, classes: number): Tensor4D {
  if (kind === 'logits') return values;
  if (kind === 'labels')
    return tf.mul(tf.oneHot(tf.cast(tf.squeeze(values, [3]), 'int32'), classes), CERTAIN) as Tensor4D;
  const inside = tf.clipByValue(values, MARGIN, 1 - MARGIN);
  return values.shape[3] === 1 ? tf.sub(tf.log(inside), tf.log(tf.sub(1, inside))) : tf.log(inside);
}

/** @throws RobustError MODEL_SHAPE unless there is one channel a class, or one for two classes. */
export function checkChannels(found: number, { classes }: ModelRequest, output: string): void {
  if (found === classes.length || (found === 1 && classes.length === 2)) return;
  throw misfit(
    'The output of the model does not fit the classes of the data set.',
    `${classes.length}${classes.length === 2 ? ' or 1' : ''} channels, for the classes ${classes.join(', ')}`,
    `'${output}' with ${found} channels`,
    "choose another 'output', or a data set with these classes",
  );
}
