import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { ModelRequest } from '../../../core/index.ts';
import { checkedShape } from './failure.ts';
import type { Options } from './options.ts';
import { guessScale, misfit, parseScale, type ImageInput, type Notes } from './ports.ts';
import type { Model } from './graph.ts';

/** How images go into the model, and logits come back to the size of the images. */
export interface Frame {
  /** Rows and columns that the model sees. */
  readonly height: number;
  readonly width: number;
  /** Images `[N,H,W,C]` to what the model sees. */
  enter(x: Tensor4D): Tensor4D;
  /** Logits of what the model sees to logits of the images. */
  leave(logits: Tensor4D): Tensor4D;
}

/** Intensities become what the network was trained on: `(x scale - mean) / std`, channel by channel. */
export function normalisation(
  model: Model,
  input: ImageInput,
  request: ModelRequest,
  options: Options,
  notes: Notes,
): (x: Tensor4D) => Tensor4D {
  const { mean, std, order } = options;
  const channels = input.channels ?? request.channels;
  for (const list of [mean, std]) {
    if (list.length === 1 || list.length === channels) continue;
    throw misfit(
      'There must be one value, or one for each channel.',
      `1 or ${channels} values`,
      `${list.length} values`,
      "check 'mean' and 'std'",
    );
  }
  const scale = options.scale === null ? guessed(model, input, request, notes) : parseScale(options.scale);
  const at = (list: readonly number[], channel: number) => list[channel] ?? list[0]!;
  const factor = Float32Array.from({ length: channels }, (_, channel) => scale / at(std, channel));
  const offset = Float32Array.from(
    { length: channels },
    (_, channel) => -at(mean, channel) / at(std, channel),
  );
  const flipped = order === 'bgr' && channels === 3;
  const adapt = channelAdapter(request.channels, channels, notes);
  const shifts = offset.some((value) => value !== 0);
  return (x) => {
    const adapted = adapt(x);
    const ordered = flipped ? tf.reverse(adapted, 3) : adapted;
    const scaled = factor.some((value) => value !== 1) ? tf.mul(ordered, tf.tensor1d(factor)) : ordered;
    return (shifts ? tf.add(scaled, tf.tensor1d(offset)) : scaled) as Tensor4D;
  };
}

function guessed(model: Model, input: ImageInput, { domain }: ModelRequest, notes: Notes): number {
  const { scale, reason } = guessScale(model, input, domain.high);
  notes.push(
    `intensities are multiplied by ${scale === 1 ? 1 : `1/${domain.high}`}: ${reason} (options scale, mean, std)`,
  );
  return scale;
}

/** Grey images are shown to a model of three channels three times over; colour ones to a grey model by their luminance. */
function channelAdapter(given: number, wanted: number, notes: Notes): (x: Tensor4D) => Tensor4D {
  if (given === wanted) return (x) => x;
  if (given === 1) {
    notes.push(`grey images are repeated: the model takes ${wanted} channels`);
    return (x) => tf.tile(x, [1, 1, 1, wanted]);
  }
  if (given === 3 && wanted === 1) {
    notes.push('colour images are reduced to their luminance: the model takes one channel');
    const weights = [0.299, 0.587, 0.114];
    return (x) => tf.conv2d(x, tf.tensor4d(weights, [1, 1, 3, 1]), 1, 'valid');
  }
  throw misfit(
    'The model takes another number of channels than the images have.',
    `${wanted} channels`,
    `${given} channels`,
    "check 'layout', and 'channels' of the data set",
  );
}

/** How sizes are brought together: as they are, padded to a multiple, or resized to the one size that the model takes. */
export function frameFor(input: ImageInput, request: ModelRequest, options: Options, notes: Notes): Frame {
  const { height, width } = request;
  const up = (side: number) => Math.ceil(side / options.multiple) * options.multiple;
  const fixed = { height: input.height ?? up(height), width: input.width ?? up(width) };
  const same = (input.height ?? height) === height && (input.width ?? width) === width;
  checkedShape(
    [input.batch ?? 1, fixed.height, fixed.width, input.channels ?? request.channels],
    'input of the model',
  );
  if (!same) {
    const how = options.fit === 'stretch' ? 'stretched' : 'shrunk whole onto a grey canvas';
    notes.push(
      `images of ${height} x ${width} are ${how}: the model takes ${fixed.height} x ${fixed.width} only (option fit)`,
    );
    return options.fit === 'stretch' ? stretched(fixed, request) : letterboxed(fixed, request);
  }
  return fixed.height === height && fixed.width === width ? untouched(fixed) : padded(fixed, request);
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Bilinear, with pixel centres in line. */
function resized(x: Tensor4D, { height, width }: Size): Tensor4D {
  return x.shape[1] === height && x.shape[2] === width
    ? x
    : tf.image.resizeBilinear(x, [height, width], false, true);
}

function untouched(size: Size): Frame {
  return { ...size, enter: (x) => x, leave: (logits) => resized(logits, size) };
}

function stretched(size: Size, images: Size): Frame {
  return { ...size, enter: (x) => resized(x, size), leave: (logits) => resized(logits, images) };
}

/** Below and on the right, by repeating the edge. */
function padded(size: Size, images: Size): Frame {
  const [down, right] = [size.height - images.height, size.width - images.width];
  const repeat = (x: Tensor4D, axis: 1 | 2, times: number) => {
    if (times === 0) return x;
    const edge = tf.slice(
      x,
      x.shape.map((side, place) => (place === axis ? side - 1 : 0)),
      x.shape.with(axis, 1) as number[],
    );
    return tf.concat(
      [
        x,
        tf.tile(
          edge,
          x.shape.map((_, place) => (place === axis ? times : 1)),
        ),
      ],
      axis,
    ) as Tensor4D;
  };
  return {
    ...size,
    enter: (x) => repeat(repeat(x, 1, down), 2, right),
    leave: (logits) => cut(resized(logits, size), images),
  };
}

function cut(x: Tensor4D, { height, width }: Size, top = 0, left = 0): Tensor4D {
  return tf.slice(x, [0, top, left, 0], [x.shape[0], height, width, x.shape[3]]);
}

/** As large as fits, in the middle; the rest is the middle of the range. */
function letterboxed(size: Size, { height, width, domain }: ModelRequest): Frame {
  const scale = Math.min(size.height / height, size.width / width);
  const inner = {
    height: Math.max(1, Math.round(height * scale)),
    width: Math.max(1, Math.round(width * scale)),
  };
  const [top, left] = [
    Math.floor((size.height - inner.height) / 2),
    Math.floor((size.width - inner.width) / 2),
  ];
  const borders: [number, number][] = [
    [0, 0],
    [top, size.height - inner.height - top],
    [left, size.width - inner.width - left],
    [0, 0],
  ];
  const grey = (domain.low + domain.high) / 2;
  return {
    ...size,
    enter: (x) => tf.pad(resized(x, inner), borders, grey) as Tensor4D,
    leave: (logits) => resized(cut(resized(logits, size), inner, top, left), { height, width }),
  };
}
