import type { Image, IntensityDomain, Mask } from '../vocabulary.ts';

/** For one output position: the first source position and the weights from there on, which sum to 1. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/**
 * Resizes an image to `height` x `width`, stretching it where the aspect ratio differs.
 *
 * Kernel: the triangle (bilinear interpolation), widened by the factor of shrinking so that it is anti-aliased:
 * PIL's BILINEAR and the anti-aliased bilinear of torchvision. It cannot overshoot, so no clipping is needed. Float
 * arithmetic throughout, without rounding between the two passes, and the same on every machine.
 */
export function resizeImage(image: Image, height: number, width: number): Image {
  const [h, w, channels] = image.shape;
  return { shape: [height, width, channels], data: resample(image.data, [h, w, channels], height, width) };
}

/**
 * Resizes a mask to `height` x `width`: each pixel gets the class that covers most of it, with the same kernel as
 * {@link resizeImage}; of equal shares the lower class wins. For two classes this is the threshold at one half.
 * Unlike picking the nearest pixel, it uses every source pixel and keeps the boundary where the image has it.
 */
export function resizeMask(mask: Mask, height: number, width: number): Mask {
  const [h, w] = mask.shape;
  const share = (index: number) => {
    const member = mask.data.map((value) => Number(value === index));
    return resample(member, [h, w, 1], height, width);
  };
  const data = new Uint8Array(height * width);
  const best = new Float32Array(height * width).fill(1);
  const foreground = [...new Set(mask.data)].filter((index) => index > 0).sort((a, b) => a - b);
  const shares = foreground.map(share);
  for (const values of shares) values.forEach((value, i) => (best[i]! -= value));
  shares.forEach((values, k) => {
    values.forEach((value, i) => {
      if (value <= best[i]!) return;
      best[i] = value;
      data[i] = foreground[k]!;
    });
  });
  return { shape: [height, width], data };
}

/** The nearest grey levels of the domain, within its bounds; halves round up. */
export function quantise(image: Image, { low, high, step }: IntensityDomain): Image {
  const level = (value: number) => low + step * Math.round((value - low) / step);
  const data = image.data.map((value) => Math.min(high, Math.max(low, level(value))));
  return { shape: image.shape, data };
}

/** A grey image with its one channel once or three times. */
export function repeatGrey({ shape: [height, width], data }: Image, channels: 1 | 3): Image {
  const repeated = new Float32Array(data.length * channels).map((_, i) => data[Math.floor(i / channels)]!);
  return { shape: [height, width, channels], data: repeated };
}

/** Resamples row-major `[height, width, channels]` samples of any numeric type: rows first, then columns. */
export function resample(
  source: Uint8Array | Uint16Array | Float32Array,
  [height, width, channels]: readonly [number, number, number],
  newHeight: number,
  newWidth: number,
): Float32Array {
  const narrow = new Float32Array(height * newWidth * channels);
  const columns = taps(width, newWidth);
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    columns.forEach(({ first, weights }, x) => {
      const at = (y * newWidth + x) * channels;
      accumulate(source, row + first * channels, channels, weights, narrow, at, channels);
    });
  }
  const result = new Float32Array(newHeight * newWidth * channels);
  const stride = newWidth * channels;
  taps(height, newHeight).forEach(({ first, weights }, y) => {
    accumulate(narrow, first * stride, stride, weights, result, y * stride, stride);
  });
  return result;
}

/** `target[at + i]` becomes the weighted sum of `source[from + i]`, `source[from + stride + i]` and so on. */
function accumulate(
  source: Uint8Array | Uint16Array | Float32Array,
  from: number,
  stride: number,
  weights: Float64Array,
  target: Float32Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k]! * source[from + k * stride + i]!;
    target[at + i] = sum;
  }
}

function taps(size: number, newSize: number): Taps[] {
  const scale = size / newSize;
  const support = Math.max(1, scale);
  return Array.from({ length: newSize }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support));
    const last = Math.min(size, Math.ceil(centre + support));
    const weights = new Float64Array(last - first).map((_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / support),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}
