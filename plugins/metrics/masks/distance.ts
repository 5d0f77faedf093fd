/**
 * Exact squared Euclidean distance of every pixel of an image to the nearest of some pixels, in time linear in the
 * size of the image: first within columns, then along rows as the lower envelope of parabolas.
 *
 * @param pixels at least one, as row-major positions
 * @param spacing of a pixel, `[vertical, horizontal]`
 * @see Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, Theory of Computing 8, 2012
 */
export function squaredDistances(
  pixels: readonly number[],
  [height, width]: readonly [height: number, width: number],
  [vertical, horizontal]: readonly [vertical: number, horizontal: number],
): Float64Array {
  const squared = withinColumns(pixels, height, width, vertical);
  const envelope = new Envelope(width, horizontal);
  for (let y = 0; y < height; y++) envelope.transform(squared.subarray(y * width, (y + 1) * width));
  return squared;
}

/** Squared distance to the nearest pixel of the same column; infinite where a column has none. */
function withinColumns(
  pixels: readonly number[],
  height: number,
  width: number,
  spacing: number,
): Float64Array {
  const distance = new Float64Array(height * width).fill(Infinity);
  for (const at of pixels) distance[at] = 0;
  for (let at = width; at < distance.length; at++) {
    distance[at] = Math.min(distance[at]!, distance[at - width]! + spacing);
  }
  for (let at = distance.length - width - 1; at >= 0; at--) {
    distance[at] = Math.min(distance[at]!, distance[at + width]! + spacing);
  }
  for (let at = 0; at < distance.length; at++) distance[at]! *= distance[at]!;
  return distance;
}

/** Replaces a row f by min over q of f(q) + (x - q)^2, through the lower envelope of these parabolas. */
class Envelope {
  readonly #spacing: number;
  readonly #row: Float64Array;
  /** Pixels whose parabolas form the envelope, and where each begins to be the lowest. */
  readonly #owner: Int32Array;
  readonly #from: Float64Array;

  constructor(width: number, spacing: number) {
    this.#spacing = spacing;
    this.#row = new Float64Array(width);
    this.#owner = new Int32Array(width);
    this.#from = new Float64Array(width);
  }

  transform(row: Float64Array): void {
    const copy = this.#row;
    copy.set(row);
    const last = this.#build(copy);
    for (let x = 0, k = 0; x < row.length; x++) {
      while (k < last && this.#from[k + 1]! < x) k++;
      const q = this.#owner[k]!;
      const step = (x - q) * this.#spacing;
      row[x] = copy[q]! + step * step;
    }
  }

  /** The index of the last parabola of the envelope; there is one, even if it lies at infinity. */
  #build(row: Float64Array): number {
    const owner = this.#owner;
    const from = this.#from;
    const scale = this.#spacing * this.#spacing;
    let k = -1;
    for (let q = 0; q < row.length; q++) {
      if (row[q] === Infinity) continue;
      let start = -Infinity;
      while (k >= 0) {
        const p = owner[k]!;
        start = ((row[q]! - row[p]!) / scale + (q - p) * (q + p)) / (2 * (q - p));
        if (start > from[k]!) break;
        k--;
        start = -Infinity;
      }
      k++;
      owner[k] = q;
      from[k] = start;
    }
    if (k < 0) owner[0] = 0;
    return Math.max(k, 0);
  }
}
