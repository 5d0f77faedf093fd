import { expect } from 'vitest';

/** Cosine at least 0.9999 (both vectors), and the same sign wherever a value is above rounding. */
export function expectAlike(got: Float32Array | Int32Array | Uint8Array, wanted: ArrayLike<number>): void {
  const list = Array.from(wanted);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
  const cosine = dot(got, list) / Math.sqrt(dot(got, got) * dot(list, list));
  const ratio = Math.sqrt(dot(got, got) / dot(list, list));
  const rounding = 1e-6 * Math.max(...list.map(Math.abs));
  const clear = list.flatMap((value, i) => (Math.abs(value) > rounding ? [i] : []));
  const agreeing = clear.filter((i) => Math.sign(got[i]!) === Math.sign(list[i]!)).length / clear.length;
  expect({ cosine, agreeing }).toEqual({
    cosine: expect.closeTo(1, 7) as number,
    agreeing: expect.closeTo(1, 4) as number,
  });
  expect(ratio).toBeCloseTo(1, 4);
}
