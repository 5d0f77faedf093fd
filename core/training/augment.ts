import type { TrainingConfig } from '../config/types.ts';
import type { Image, IntensityDomain, Mask, Random, Sample } from '../vocabulary.ts';

/** An image and its mask: what augmentation changes together. */
export type Pair = Pick<Sample, 'image' | 'mask'>;

type Axis = 'horizontal' | 'vertical';

/**
 * Random flips along both axes and a random rotation, applied to image and mask alike. Everything happens on plain
 * arrays, so that the backend has no part in it. The numbers drawn do not depend on which parts are switched on.
 */
export function augment(
  pair: Pair,
  { flips, rotation }: Pick<TrainingConfig, 'flips' | 'rotation'>,
  domain: IntensityDomain,
  random: Random,
): Pair {
  const mirrored = random.uniform() < 0.5;
  const upended = random.uniform() < 0.5;
  const degrees = (2 * random.uniform() - 1) * rotation;
  let result = rotate(pair, degrees, domain);
  if (flips && mirrored) result = flip(result, 'horizontal');
  if (flips && upended) result = flip(result, 'vertical');
  return result;
}

/** Left and right exchanged (`horizontal`), or top and bottom. */
export function flip({ image, mask }: Pair, axis: Axis): Pair {
  const [height, width, channels] = image.shape;
  const pixels = new Float32Array(image.data.length);
  const classes = new Uint8Array(mask.data.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      const from = axis === 'horizontal' ? y * width + (width - 1 - x) : (height - 1 - y) * width + x;
      classes[to] = mask.data[from]!;
      for (let c = 0; c < channels; c++) pixels[to * channels + c] = image.data[from * channels + c]!;
    }
  }
  return { image: { shape: image.shape, data: pixels }, mask: { shape: mask.shape, data: classes } };
}

/**
 * Rotated about the centre, counter-clockwise for positive angles: the image bilinearly and back to whole grey levels,
 * the mask to the nearest pixel. What lies outside is the mirror image of what lies inside, in both.
 */
export function rotate(pair: Pair, degrees: number, domain: IntensityDomain): Pair {
  if (degrees === 0) return pair;
  const { image, mask } = pair;
  const [height, width, channels] = image.shape;
  const pixels = new Float32Array(image.data.length);
  const classes = new Uint8Array(mask.data.length);
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      const fromX = middleX + cos * (x - middleX) - sin * (y - middleY);
      const fromY = middleY + sin * (x - middleX) + cos * (y - middleY);
      classes[to] = nearest(mask, fromY, fromX);
      for (let c = 0; c < channels; c++) {
        pixels[to * channels + c] = wholeLevel(bilinear(image, fromY, fromX, c), domain);
      }
    }
  }
  return { image: { shape: image.shape, data: pixels }, mask: { shape: mask.shape, data: classes } };
}

function nearest({ shape: [height, width], data }: Mask, y: number, x: number): number {
  return data[mirror(Math.round(y), height) * width + mirror(Math.round(x), width)]!;
}

function bilinear(
  { shape: [height, width, channels], data }: Image,
  y: number,
  x: number,
  channel: number,
): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const upper = mirror(top, height) * width;
  const lower = mirror(top + 1, height) * width;
  const near = mirror(left, width);
  const far = mirror(left + 1, width);
  const above =
    data[(upper + near) * channels + channel]! * (1 - right) +
    data[(upper + far) * channels + channel]! * right;
  const below =
    data[(lower + near) * channels + channel]! * (1 - right) +
    data[(lower + far) * channels + channel]! * right;
  return above * (1 - down) + below * down;
}

/** An index outside `0..size-1` reflected at the edge (`c b a | a b c | c b a`). */
function mirror(index: number, size: number): number {
  const period = ((index % (2 * size)) + 2 * size) % (2 * size);
  return period < size ? period : 2 * size - 1 - period;
}

function wholeLevel(value: number, { low, high, step }: IntensityDomain): number {
  return Math.min(high, low + Math.round((value - low) / step) * step);
}
