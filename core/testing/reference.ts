/** Sizes of a batch, and channels before and after. */
export interface ConvolutionShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A 3x3 convolution with zero padding and stride 1, followed by ReLU, in plain JavaScript: the yardstick for
 * backends. Gradients are those of the sum of `output * weights`.
 *
 * @param x `[batch, height, width, from]`
 * @param filter `[3, 3, from, to]`
 * @param weights `[batch, height, width, to]`
 */
export function convolution(
  x: ArrayLike<number>,
  filter: ArrayLike<number>,
  weights: ArrayLike<number>,
  shape: ConvolutionShape,
): { output: Float64Array; inputGradient: Float64Array; filterGradient: Float64Array } {
  const output = new Float64Array(weights.length);
  forEachProduct(shape, (o, i, f) => (output[o]! += x[i]! * filter[f]!));
  const upstream = output.map((value, o) => (value > 0 ? weights[o]! : 0));
  const inputGradient = new Float64Array(x.length);
  const filterGradient = new Float64Array(filter.length);
  forEachProduct(shape, (o, i, f) => {
    inputGradient[i]! += upstream[o]! * filter[f]!;
    filterGradient[f]! += upstream[o]! * x[i]!;
  });
  return { output: output.map((value) => Math.max(0, value)), inputGradient, filterGradient };
}

/** Visits every product of the convolution as flat indices of output, input and filter. */
function forEachProduct(
  { batch, height, width, from, to }: ConvolutionShape,
  visit: (output: number, input: number, filter: number) => void,
): void {
  for (let pixel = 0; pixel < batch * height * width; pixel++) {
    const [n, y, x] = [
      Math.floor(pixel / (height * width)),
      Math.floor(pixel / width) % height,
      pixel % width,
    ];
    for (let tap = 0; tap < 9; tap++) {
      const [row, column] = [y + Math.floor(tap / 3) - 1, x + (tap % 3) - 1];
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const source = (n * height + row) * width + column;
      for (let product = 0; product < from * to; product++) {
        const [c, k] = [Math.floor(product / to), product % to];
        visit(pixel * to + k, source * from + c, (tap * from + c) * to + k);
      }
    }
  }
}
