/** Plain double-precision arrays: what the reference implementations compute with. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

/** An array whose value at each index comes from a function of the index. */
export function build(shape: readonly number[], value: (index: number[]) => number): NdArray {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, flat) => value(unravel(flat, shape)));
  return { shape, data };
}

function unravel(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const side of shape.toReversed()) {
    index.unshift(flat % side);
    flat = Math.floor(flat / side);
  }
  return index;
}

/** The value at an index, where an axis of length 1 is broadcast and missing leading axes are ignored. */
export function at({ shape, data }: NdArray, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  return data[own.reduce((flat, i, axis) => flat * shape[axis]! + (shape[axis] === 1 ? 0 : i), 0)]!;
}

/** The value at an index, and `outside` beyond the borders. */
export function within(x: NdArray, index: readonly number[], outside = 0): number {
  return index.every((i, axis) => i >= 0 && i < x.shape[axis]!) ? at(x, index) : outside;
}

export function map(x: NdArray, f: (value: number) => number): NdArray {
  return { shape: x.shape, data: x.data.map(f) };
}

export function zip(a: NdArray, b: NdArray, f: (x: number, y: number) => number): NdArray {
  const rank = Math.max(a.shape.length, b.shape.length);
  const side = ({ shape }: NdArray, axis: number) => shape[axis - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(side(a, axis), side(b, axis)));
  return build(shape, (index) => f(at(a, index), at(b, index)));
}

/** Reduces axes to length 1. */
export function reduce(
  x: NdArray,
  axes: readonly number[],
  start: number,
  f: (total: number, value: number) => number,
): NdArray {
  const shape = x.shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const data = new Float64Array(sizeOf(shape)).fill(start);
  x.data.forEach((value, flat) => {
    const place = unravel(flat, x.shape).reduce(
      (sum, i, axis) => sum + (shape[axis] === 1 ? 0 : i * strides[axis]!),
      0,
    );
    data[place] = f(data[place]!, value);
  });
  return { shape, data };
}

export function reshape(x: NdArray, shape: readonly number[]): NdArray {
  return { shape, data: x.data };
}

/** Repeatable values in (-1, 1), no two alike and none near 0, so that kinks and ties are met on purpose only. */
export function sample(shape: readonly number[], seed: number): NdArray {
  const size = sizeOf(shape);
  let state = seed * 2654435761 + 12345;
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const data = Float64Array.from(order, (rank) => {
    const value = (2 * rank + 1) / size - 1;
    return Math.fround(value === 0 ? 0.5 / size : value);
  });
  return { shape, data };
}
