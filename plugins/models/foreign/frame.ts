import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { ImageRequest } from '../../../core/index.ts';
import type { Sides } from './model.ts';
import { misfit, type Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';

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

/** How sizes are brought together: as they are, padded to a multiple, or resized to the one size that the model takes. */
export function frameFor(
  input: Sides,
  request: ImageRequest,
  options: Pick<ForeignOptions, 'multiple' | 'fit'>,
  notes: Notes,
): Frame {
  const { height, width } = request;
  const up = (side: number) => Math.ceil(side / options.multiple) * options.multiple;
  const fixed = { height: input.height ?? up(height), width: input.width ?? up(width) };
  const same = (input.height ?? height) === height && (input.width ?? width) === width;
  checkSize(input.batch ?? 1, fixed.height, fixed.width, input.channels ?? request.channels);
  if (!same) {
    const how = options.fit === 'stretch' ? 'stretched' : 'shrunk whole onto a grey canvas';
    const taken = `${fixed.height} x ${fixed.width}`;
    notes.push({
      text: `images of ${height} x ${width} are ${how}: the model takes ${taken} only (option fit)`,
      option: 'fit',
      value: options.fit,
    });
    return options.fit === 'stretch' ? stretched(fixed, request) : letterboxed(fixed, request);
  }
  return fixed.height === height && fixed.width === width ? untouched(fixed) : padded(fixed, request);
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Numbers in a batch of images: a wrong size in a file must fail before it takes the machine down. */
const MOST = 2 ** 29;

function checkSize(...shape: number[]): void {
  if (shape.reduce((product, side) => product * side) <= MOST) return;
  throw misfit(
    'The model takes images that are larger than anything sensible.',
    `at most ${MOST} numbers in a batch`,
    `[${shape.join(', ')}]`,
    'check the sizes in the model, and the size of the images',
  );
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
function letterboxed(size: Size, { height, width, domain }: ImageRequest): Frame {
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
