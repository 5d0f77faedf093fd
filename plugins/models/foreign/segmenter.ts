import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Context, ImageRequest, ModelRequest, Segmenter } from '../../../core/index.ts';
import { frameFor, type Frame } from './frame.ts';
import { normalisation } from './intensities.ts';
import type { ForeignModel, Kind, Made } from './model.ts';
import type { Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';
import { asImages, asLogits, checkChannels, guessKind, outputLayout, type Layout } from './output.ts';

/** A network with all that was decided about it. */
export interface Prepared {
  readonly model: ForeignModel;
  readonly frame: Frame;
  readonly kind: Kind;
  /** Channels of the logits. */
  readonly channels: number;
  readonly notes: Notes;
  logits(x: Tensor4D): Tensor4D;
}

/** What is the same for every call. */
interface Parts {
  readonly model: ForeignModel;
  readonly frame: Frame;
  readonly normalise: (x: Tensor4D) => Tensor4D;
  readonly classes: number;
}

/** What the output is, once it was seen. */
interface Meaning {
  readonly kind: Kind;
  readonly layout: Layout;
  readonly channels: number;
  /** Images per call of the network; undefined takes any number. */
  readonly batch: number | undefined;
}

/**
 * A network that was made elsewhere as something to attack. Everything that nobody said and that is decided here is said:
 * on standard error and in the notes of the segmenter. The segmenter owns the network.
 *
 * @throws RobustError MODEL_SHAPE when images or classes do not fit the network.
 */
export function makeSegmenter(
  model: ForeignModel,
  request: ModelRequest,
  options: ForeignOptions,
  ctx: Context,
  notes: Notes = [],
): Segmenter {
  try {
    const prepared = prepare(model, request, request.classes.length, options, ctx, notes);
    const { channels, kind } = prepared;
    checkChannels(channels, request, model.output.name);
    for (const { text } of notes) ctx.log.warn(`${model.path}: ${text}`);
    const identity = JSON.stringify({ ...options, path: '' });
    return {
      channels,
      fingerprint: createHash('sha256').update(model.fingerprint).update(identity).digest('hex'),
      notes: notes.map(({ text }) => text),
      ...((kind === 'labels' || model.gradient === false) && { gradient: false }),
      logits: (x) => prepared.logits(x),
      dispose: () => model.dispose(),
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Decides how images go in, and learns what comes out. */
export function prepare(
  model: ForeignModel,
  request: ImageRequest,
  classes: number,
  options: ForeignOptions,
  ctx: Context,
  notes: Notes,
): Prepared {
  const normalise = normalisation(model, request, options, notes);
  const parts: Parts = { model, frame: frameFor(model.input, request, options, notes), normalise, classes };
  const meaning = probe(parts, request, options, ctx, notes);
  const { kind, channels } = meaning;
  const logits = (x: Tensor4D) => tf.tidy(() => logitsOf(parts, meaning, x));
  return { model, frame: parts.frame, kind, channels, notes, logits };
}

/** Shows the network noise once, which also computes everything that is the same for all images, and learns what comes out. */
function probe(
  parts: Parts,
  { height, width, channels, domain }: ImageRequest,
  options: ForeignOptions,
  ctx: Context,
  notes: Notes,
): Meaning {
  const { input, output, layout: known } = parts.model;
  const random = ctx.random('probe');
  const pixels = Float32Array.from(
    { length: height * width * channels },
    () => domain.low + random.uniform() * (domain.high - domain.low),
  );
  return tf.tidy(() => {
    const image = tf.tensor4d(pixels, [1, height, width, channels]);
    const made = compute(parts, batchesOf(image, input.batch)[0]!);
    const layout = known ?? outputLayout(made.shape, parts.frame);
    const values = asImages(made, layout);
    const wanted = options.kind === 'auto' ? null : options.kind;
    const kind = output.kind ?? wanted ?? guessKind(values, notes);
    if (kind === 'labels' && parts.model.gradient !== false)
      notes.push({
        text: 'the output is labels, and nothing tells what they are made of: there is no gradient, only black-box attacks work',
      });
    const [, rows, columns, found] = asLogits(values, kind, parts.classes).shape;
    if (rows !== parts.frame.height || columns !== parts.frame.width)
      notes.push({
        text: `logits of ${rows} x ${columns} are enlarged to the ${parts.frame.height} x ${parts.frame.width} of the input, bilinearly`,
      });
    const batch = input.batch ?? (takesBatches(parts, image) ? undefined : 1);
    if (batch !== input.batch)
      notes.push({
        text: 'images are computed one at a time: the model takes no batch, whatever its input says',
      });
    return { kind, layout, channels: found, batch };
  });
}

/** A file may promise any number of images and hold sizes for one: two are tried. */
function takesBatches(parts: Parts, image: Tensor4D): boolean {
  try {
    return tf.tidy(() => compute(parts, tf.concat([image, image])).shape[0] === 2);
  } catch {
    return false;
  }
}

/** Images in intensity units in portions of `batch`, the last one filled up with its last image. */
function batchesOf(x: Tensor4D, batch: number | undefined): Tensor4D[] {
  if (batch === undefined || batch === x.shape[0]) return [x];
  const [count, ...image] = x.shape;
  const missing = Math.ceil(count / batch) * batch - count;
  const last = tf.slice(x, [count - 1, 0, 0, 0], [1, ...image]);
  const filled = missing > 0 ? tf.concat([x, tf.tile(last, [missing, 1, 1, 1])]) : x;
  const portions = Array.from({ length: (count + missing) / batch }, (_, index) => index * batch);
  return portions.map((start) => tf.slice(filled, [start, 0, 0, 0], [batch, ...image]));
}

/** What the network makes of images in intensity units. */
function compute({ model, frame, normalise }: Parts, x: Tensor4D): Made {
  return model.compute(normalise(frame.enter(x)));
}

function logitsOf(parts: Parts, { kind, layout, batch }: Meaning, x: Tensor4D): Tensor4D {
  const made = batchesOf(x, batch).map((part) => asImages(compute(parts, part), layout));
  const joined = made.length === 1 ? made[0]! : tf.concat(made);
  const kept =
    joined.shape[0] === x.shape[0]
      ? joined
      : (tf.slice(joined, [0, 0, 0, 0], [x.shape[0], ...joined.shape.slice(1)]) as Tensor4D);
  return parts.frame.leave(asLogits(kept, kind, parts.classes));
}
