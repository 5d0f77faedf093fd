import { at, build, map, reduce, reshape, within, zip, type NdArray } from './array.ts';

/** Windows that slide over an image. */
export interface Windows {
  readonly stride: number;
  /** Rows and columns of zeros before the image. */
  readonly before: number;
  readonly dilation?: number;
  readonly out: readonly [height: number, width: number];
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const sum = (n: number, term: (i: number) => number) => range(n).reduce((total, i) => total + term(i), 0);

/** `x [N,H,W,I]` with `filter [kh,kw,I,O]`. */
export function conv2d(x: NdArray, filter: NdArray, windows: Windows): NdArray {
  const [kh, kw, inner, outer] = filter.shape as [number, number, number, number];
  const { stride, before, dilation = 1, out } = windows;
  return build([x.shape[0]!, ...out, outer], ([n, y, column, o]) =>
    sum(kh, (ky) =>
      sum(kw, (kx) => {
        const place = [y! * stride - before + ky * dilation, column! * stride - before + kx * dilation];
        return sum(inner, (i) => within(x, [n!, ...place, i]) * at(filter, [ky, kx, i, o!]));
      }),
    ),
  );
}

/** `x [N,H,W,I]` with `filter [kh,kw,O,I]`: each value is spread over a window of the output. */
export function conv2dTranspose(x: NdArray, filter: NdArray, { stride, before, out }: Windows): NdArray {
  const [kh, kw, outer, inner] = filter.shape as [number, number, number, number];
  return build([x.shape[0]!, ...out, outer], ([n, y, column, o]) =>
    sum(kh, (ky) =>
      sum(kw, (kx) => {
        const place = [(y! + before - ky) / stride, (column! + before - kx) / stride];
        if (!place.every(Number.isInteger)) return 0;
        return sum(inner, (i) => within(x, [n!, ...place, i]) * at(filter, [ky, kx, o!, i]));
      }),
    ),
  );
}

/** `x [N,H,W,C]` with `filter [kh,kw,C,M]`. */
export function depthwise(
  x: NdArray,
  filter: NdArray,
  { stride, before, dilation = 1, out }: Windows,
): NdArray {
  const [kh, kw, channels, multiplier] = filter.shape as [number, number, number, number];
  return build([x.shape[0]!, ...out, channels * multiplier], ([n, y, column, o]) => {
    const [channel, m] = [Math.floor(o! / multiplier), o! % multiplier];
    return sum(kh, (ky) =>
      sum(kw, (kx) => {
        const [row, col] = [y! * stride - before + ky * dilation, column! * stride - before + kx * dilation];
        const place = [n!, row, col, channel];
        return within(x, place) * at(filter, [ky, kx, channel, m]);
      }),
    );
  });
}

export function pool(
  kind: 'max' | 'avg',
  x: NdArray,
  size: number,
  { stride, before, out }: Windows,
): NdArray {
  return build([x.shape[0]!, ...out, x.shape[3]!], ([n, y, column, c]) => {
    const values = range(size * size)
      .map((i) => [y! * stride - before + Math.floor(i / size), column! * stride - before + (i % size)])
      .map(([row, col]) => within(x, [n!, row!, col!, c!], NaN))
      .filter((value) => !Number.isNaN(value));
    return kind === 'max' ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
  });
}

export interface Resizing {
  readonly size: readonly [height: number, width: number];
  readonly alignCorners?: boolean;
  readonly halfPixelCenters?: boolean;
}

/** Where an output position lies in the input, before rounding. */
function source(i: number, from: number, to: number, { alignCorners, halfPixelCenters }: Resizing): number {
  if (alignCorners && to > 1) return (i * (from - 1)) / (to - 1);
  return halfPixelCenters ? ((i + 0.5) * from) / to - 0.5 : (i * from) / to;
}

export function resizeBilinear(x: NdArray, resizing: Resizing): NdArray {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const clamp = (i: number, side: number) => Math.min(side - 1, Math.max(0, i));
  return build([batch, ...resizing.size, channels], ([n, y, column, c]) => {
    const row = clamp(source(y!, height, resizing.size[0], resizing), height);
    const col = clamp(source(column!, width, resizing.size[1], resizing), width);
    const [y0, x0] = [Math.floor(row), Math.floor(col)];
    const value = (dy: number, dx: number) =>
      at(x, [n!, clamp(y0 + dy, height), clamp(x0 + dx, width), c!]) *
      (dy === 1 ? row - y0 : 1 - row + y0) *
      (dx === 1 ? col - x0 : 1 - col + x0);
    return value(0, 0) + value(0, 1) + value(1, 0) + value(1, 1);
  });
}

export function resizeNearest(x: NdArray, resizing: Resizing): NdArray {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const nearest = (i: number, from: number, to: number) => {
    const place = source(i, from, to, resizing) + (resizing.halfPixelCenters ? 0.5 : 0);
    return Math.min(from - 1, resizing.alignCorners ? Math.round(place) : Math.floor(place));
  };
  return build([batch, ...resizing.size, channels], ([n, y, column, c]) =>
    at(x, [n!, nearest(y!, height, resizing.size[0]), nearest(column!, width, resizing.size[1]), c!]),
  );
}

/** Products of matrices, `a [...,M,K]` and `b [...,K,N]` before their transposes. */
export function matMul(a: NdArray, b: NdArray, transposeA = false, transposeB = false): NdArray {
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const n = transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const batch = a.shape.slice(0, -2).map((side, axis) => Math.max(side, b.shape[axis]!));
  return build([...batch, m, n], (index) => {
    const [row, column] = index.slice(-2) as [number, number];
    const lead = index.slice(0, -2);
    return sum(
      k,
      (i) =>
        at(a, [...lead, ...(transposeA ? [i, row] : [row, i])]) *
        at(b, [...lead, ...(transposeB ? [column, i] : [i, column])]),
    );
  });
}

/** Along the last axis. */
export function logSoftmax(x: NdArray): NdArray {
  const last = [x.shape.length - 1];
  const shifted = zip(x, reduce(x, last, -Infinity, Math.max), (v, m) => v - m);
  const total = reduce(map(shifted, Math.exp), last, 0, (a, b) => a + b);
  return zip(shifted, total, (v, t) => v - Math.log(t));
}

export function mean(x: NdArray, axes: readonly number[]): NdArray {
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  return map(
    reduce(x, axes, 0, (a, b) => a + b),
    (total) => total / count,
  );
}

/** Over all axes but the last; `moments` are those of x unless given. */
export function batchNorm(
  x: NdArray,
  offset: NdArray,
  scale: NdArray,
  eps: number,
  moments?: readonly [mean: NdArray, variance: NdArray],
): NdArray {
  const axes = range(x.shape.length - 1);
  const centre = moments?.[0] ?? mean(x, axes);
  const centred = zip(x, centre, (v, m) => v - m);
  const spread =
    moments?.[1] ??
    mean(
      map(centred, (v) => v * v),
      axes,
    );
  const normal = zip(centred, spread, (v, s) => v / Math.sqrt(s + eps));
  return zip(
    zip(normal, scale, (v, s) => v * s),
    offset,
    (v, o) => v + o,
  );
}

/** Removes axes of length 1. */
export function squeeze(x: NdArray, axes: readonly number[]): NdArray {
  return reshape(
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  );
}
