import type { Tensor } from '@tensorflow/tfjs-core';

/** A tensor, a typed array, a number or (nested) lists of numbers. */
export type Comparable = Tensor | NumberArray | NestedNumbers;
export type NestedNumbers = number | readonly NestedNumbers[];
type NumberArray =
  Float32Array | Float64Array | Int32Array | Uint8Array | Uint8ClampedArray | Int8Array | Uint16Array;

/** Two values agree when |actual - expected| <= atol + rtol |expected|. Both are 0 unless given: exact equality. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/** The outcome of a comparison; `message` describes the difference, or the agreement. */
export interface Comparison {
  readonly pass: boolean;
  readonly message: string;
}

interface Values {
  readonly shape: readonly number[];
  /** Unknown for plain lists, which agree with every type. */
  readonly dtype: string | null;
  readonly data: ArrayLike<number>;
}

/**
 * Compares shape, then type, then values. NaN agrees only with NaN, an infinity only with itself. The message names
 * the worst index with both values, and the largest absolute and relative differences.
 */
export function compare(actual: Comparable, expected: Comparable, tolerance: Tolerance = {}): Comparison {
  const a = read(actual);
  const e = read(expected);
  if (a.shape.join() !== e.shape.join())
    return fail(`shape [${a.shape.join()}], expected [${e.shape.join()}]`);
  if (a.dtype !== null && e.dtype !== null && a.dtype !== e.dtype)
    return fail(`type ${a.dtype}, expected ${e.dtype}`);
  return compareValues(a, e, tolerance);
}

/** Throws with the message of {@link compare} unless both agree. */
export function expectClose(actual: Comparable, expected: Comparable, tolerance: Tolerance = {}): void {
  const { pass, message } = compare(actual, expected, tolerance);
  if (!pass) throw new Error(message);
}

function compareValues(a: Values, e: Values, { rtol = 0, atol = 0 }: Tolerance): Comparison {
  const worst = { index: -1, excess: 0, differing: 0, abs: 0, rel: 0 };
  for (let i = 0; i < e.data.length; i++) {
    const [x, y] = [a.data[i]!, e.data[i]!];
    const abs = difference(x, y);
    worst.abs = Math.max(worst.abs, abs);
    worst.rel = Math.max(worst.rel, abs === 0 ? 0 : abs / Math.abs(y));
    // An infinite tolerance must not admit an infinite difference.
    const excess = abs === Infinity ? Infinity : abs - (atol + rtol * Math.abs(y));
    if (abs === 0 || excess <= 0) continue;
    worst.differing++;
    if (excess > worst.excess) Object.assign(worst, { index: i, excess });
  }
  const total = e.data.length;
  if (worst.differing === 0)
    return { pass: true, message: `all ${total} values agree (rtol ${rtol}, atol ${atol})` };
  const [x, y] = [a.data[worst.index]!, e.data[worst.index]!];
  return fail(
    `${worst.differing} of ${total} values differ (rtol ${rtol}, atol ${atol})`,
    `worst at [${place(worst.index, e.shape).join()}]: actual ${x}, expected ${y}`,
    `largest difference: absolute ${worst.abs}, relative ${worst.rel}`,
  );
}

/** Infinity where subtraction would give NaN or hide a difference. */
function difference(x: number, y: number): number {
  if (Object.is(x, y) || x === y) return 0;
  return Number.isFinite(x) && Number.isFinite(y) ? Math.abs(x - y) : Infinity;
}

function place(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const size of shape.toReversed()) {
    index.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return index;
}

function fail(...lines: string[]): Comparison {
  return { pass: false, message: ['arrays are not close:', ...lines].join('\n  ') };
}

function read(values: Comparable): Values {
  if (isTensor(values)) return { shape: values.shape, dtype: values.dtype, data: values.dataSync() };
  if (ArrayBuffer.isView(values)) return { shape: [values.length], dtype: typeOf(values), data: values };
  const shape = shapeOf(values);
  return { shape, dtype: null, data: flatten(values) };
}

function isTensor(values: Comparable): values is Tensor {
  return typeof values === 'object' && 'dataSync' in values;
}

/** `float32` for Float32Array, as tensors say. */
function typeOf(values: NumberArray): string {
  return values.constructor.name.replace('Array', '').toLowerCase();
}

function shapeOf(values: NestedNumbers): number[] {
  if (typeof values === 'number') return [];
  const inner = values.map(shapeOf);
  if (inner.some((shape) => shape.join() !== inner[0]?.join()))
    throw new Error('lists of unequal lengths are no array');
  return [values.length, ...(inner[0] ?? [])];
}

function flatten(values: NestedNumbers): readonly number[] {
  return typeof values === 'number' ? [values] : values.flatMap(flatten);
}
