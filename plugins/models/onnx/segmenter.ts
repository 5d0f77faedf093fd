import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Context, ModelRequest, Segmenter } from '../../../core/index.ts';
import type { ModelFile } from './file.ts';
import { makeModel } from './graph.ts';
import type { Options } from './options.ts';
import {
  imageInput,
  misfit,
  scoredOutput,
  type ImageInput,
  type Kind,
  type Notes,
  type ScoredOutput,
} from './ports.ts';
import { frameFor, normalisation, type Frame } from './preprocess.ts';
import { Program } from './program.ts';
import { dtypeOf } from './types.ts';
import { channelsLast, FIXED, IMAGE, inOrder, SIZED, Value } from './value.ts';

/** What a segmenter is made of. */
interface Parts {
  readonly program: Program;
  readonly input: ImageInput;
  readonly output: ScoredOutput;
  readonly frame: Frame;
  readonly normalise: (x: Tensor4D) => Tensor4D;
}

/** What the output of a file is, once it was seen. */
interface Meaning {
  readonly kind: Kind;
  readonly layout: 'nchw' | 'nhwc';
  readonly channels: number;
  /** Images per call of the program; undefined takes any number. */
  readonly batch: number | undefined;
}

/**
 * An ONNX file as something to attack. Everything that the file does not say and that is decided here is said.
 *
 * @throws RobustError MODEL_FILE_INVALID, MODEL_UNSUPPORTED, MODEL_SHAPE when the logits do not fit the classes.
 */
export function makeSegmenter(
  file: ModelFile,
  request: ModelRequest,
  options: Options,
  ctx: Context,
): Segmenter {
  const notes: Notes = [];
  const model = makeModel(file);
  const input = imageInput(model, options.layout, notes);
  const output = scoredOutput(model, options.output, options.kind, notes);
  const level = input.batch === undefined ? SIZED : FIXED;
  const program = new Program({ ...model, graph: output.graph }, [output.value], level);
  try {
    const normalise = normalisation(model, input, request, options, notes);
    const parts: Parts = {
      program,
      input,
      output,
      frame: frameFor(input, request, options, notes),
      normalise,
    };
    const meaning = probe(parts, request, ctx, notes);
    for (const note of notes) ctx.log.warn(`${file.path}: ${note}`);
    return {
      channels: meaning.channels,
      fingerprint: createHash('sha256')
        .update(fingerprintOf(file, model.graph.constants))
        .update(JSON.stringify({ ...options, path: '' }))
        .digest('hex'),
      logits: (x) => tf.tidy(() => logitsOf(parts, meaning, request.classes.length, x)),
      dispose: () => program.dispose(),
    };
  } catch (error) {
    program.dispose();
    throw error;
  }
}

/** The bytes of the file and of every constant: weights in a file of their own count too. */
function fingerprintOf(file: ModelFile, constants: ReadonlyMap<string, Value>): string {
  const hash = createHash('sha256').update(file.bytes);
  if (file.model.graph!.initializer.some(({ dataLocation }) => dataLocation === 1)) {
    for (const { numbers } of constants.values()) hash.update(Float64Array.from(numbers));
  }
  return hash.digest('hex');
}

/** Shows the model noise once, which also computes everything that is the same for all images, and learns what comes out. */
function probe(parts: Parts, request: ModelRequest, ctx: Context, notes: Notes): Meaning {
  const { height, width, channels, domain } = request;
  const random = ctx.random('onnx probe');
  const pixels = Float32Array.from(
    { length: height * width * channels },
    () => domain.low + random.uniform() * (domain.high - domain.low),
  );
  return tf.tidy(() => {
    const image = tf.tensor4d(pixels, [1, height, width, channels]);
    const made = compute(parts, batchesOf(image, parts.input.batch)[0]!);
    const layout = outputLayout(made.shape, parts.frame);
    const values = asImages(made, layout);
    const kind = parts.output.kind ?? guessKind(values, notes);
    if (kind === 'labels')
      notes.push(
        'the output is labels, and nothing tells what they are made of: there is no gradient, only black-box attacks work',
      );
    const found = asLogits(values, kind, request.classes.length).shape[3];
    checkChannels(found, request, parts.output, made.shape);
    const { height: rows, width: columns } = parts.frame;
    const small = values.shape[1] !== rows || values.shape[2] !== columns;
    if (small)
      notes.push(
        `logits of ${values.shape[1]} x ${values.shape[2]} are enlarged to the ${rows} x ${columns} of the input, bilinearly`,
      );
    const batch = parts.input.batch ?? (takesBatches(parts, image) ? undefined : 1);
    if (batch !== parts.input.batch)
      notes.push('images are computed one at a time: the model takes no batch, whatever its input says');
    return { kind, layout, channels: found, batch };
  });
}

function checkChannels(
  found: number,
  { classes }: ModelRequest,
  { name }: ScoredOutput,
  shape: readonly number[],
): void {
  if (found === classes.length || (found === 1 && classes.length === 2)) return;
  const fitting = `${classes.length}${classes.length === 2 ? ' or 1' : ''} channels, for the classes ${classes.join(', ')}`;
  const next = "choose another 'output', or a data set with these classes";
  throw misfit(
    'The output of the model does not fit the classes of the data set.',
    fitting,
    `'${name}' of shape [${shape.join(', ')}]`,
    next,
  );
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

/** What the program makes of images in intensity units. */
function compute({ program, input, frame, normalise }: Parts, x: Tensor4D): Value {
  const { name, type } = input.port;
  const order = input.layout === 'nchw' ? channelsLast(4) : inOrder(4);
  const image = Value.of(tf.cast(normalise(frame.enter(x)), dtypeOf(type)), type, IMAGE, order);
  return program.run(new Map([[name, image]]))[0]!;
}

/** Which axis holds the classes: the one that is not a side of the image. */
function outputLayout(shape: readonly number[], { height, width }: Frame): 'nchw' | 'nhwc' {
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
function asImages(value: Value, layout: 'nchw' | 'nhwc'): Tensor4D {
  const tensor =
    value.rank === 3
      ? tf.expandDims(value.ordered, 3)
      : value.as(layout === 'nchw' ? channelsLast(4) : inOrder(4));
  return tf.cast(tensor, 'float32') as Tensor4D;
}

/** Values that lie between 0 and 1, and add up to 1 where there are several, are probabilities. */
function guessKind(values: Tensor4D, notes: Notes): Kind {
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
  notes.push(`the output is taken for ${kind}: ${reason} (option kind)`);
  return kind;
}

/** Confidence that no attack can lower: labels say nothing about how sure the model was. */
const CERTAIN = 20;
/** Probabilities are kept this far from 0 and 1, where logarithms end. */
const MARGIN = 1e-7;

function asLogits(values: Tensor4D, kind: Kind, classes: number): Tensor4D {
  if (kind === 'logits') return values;
  if (kind === 'labels')
    return tf.mul(tf.oneHot(tf.cast(tf.squeeze(values, [3]), 'int32'), classes), CERTAIN) as Tensor4D;
  const inside = tf.clipByValue(values, MARGIN, 1 - MARGIN);
  return values.shape[3] === 1 ? tf.sub(tf.log(inside), tf.log(tf.sub(1, inside))) : tf.log(inside);
}

function logitsOf(parts: Parts, { kind, layout, batch }: Meaning, classes: number, x: Tensor4D): Tensor4D {
  const made = batchesOf(x, batch).map((part) => asImages(compute(parts, part), layout));
  const joined = made.length === 1 ? made[0]! : tf.concat(made);
  const kept =
    joined.shape[0] === x.shape[0]
      ? joined
      : (tf.slice(joined, [0, 0, 0, 0], [x.shape[0], ...joined.shape.slice(1)]) as Tensor4D);
  return parts.frame.leave(asLogits(kept, kind, classes));
}
