import type * as TF from '@tensorflow/tfjs-core';

/** One comparison with numbers computed in plain JavaScript. */
export interface SelfTestResult {
  readonly name: string;
  readonly ok: boolean;
  readonly maxDifference: number;
}

/** The part of tfjs that the self-test uses, so that any backend's module can be handed in. */
export type SelfTestModule = Pick<
  typeof TF,
  | 'tensor2d'
  | 'tensor4d'
  | 'tidy'
  | 'conv2d'
  | 'relu'
  | 'maxPool'
  | 'matMul'
  | 'mul'
  | 'sum'
  | 'grad'
  | 'reshape'
  | 'dispose'
>;

/** Far above rounding (the numbers below are exact in any float format), far below a wrong result. */
const TOLERANCE = 1e-4;

const SIZE = 6;
const CHANNELS = 2;
const FILTERS = 3;
const HALF = SIZE / 2;
const CLASSES = 2;

/**
 * Runs convolution, ReLU, max-pooling and matrix product forward, then the gradient of their weighted sum with respect to the
 * input, on the active backend. The inputs are small multiples of 1/8: no rounding, so TF32 and every summation order agree.
 */
export async function selfTest(tf: SelfTestModule): Promise<SelfTestResult[]> {
  const expected = reference();
  const [convolved, activated, pooled, product, gradient] = tf.tidy(() => compute(tf, expected));
  const results = [
    await compare('conv2d', convolved, expected.convolved),
    await compare('relu', activated, expected.activated),
    await compare('maxPool', pooled, expected.pooled),
    await compare('matMul', product, expected.product),
    await compare('gradient', gradient, expected.gradient),
  ];
  tf.dispose([convolved, activated, pooled, product, gradient]);
  return results;
}

type Reference = ReturnType<typeof reference>;
type Outputs = [TF.Tensor, TF.Tensor, TF.Tensor, TF.Tensor, TF.Tensor];

function compute(tf: SelfTestModule, given: Reference): Outputs {
  const x = tf.tensor4d(given.x, [1, SIZE, SIZE, CHANNELS]);
  const filter = tf.tensor4d(given.filter, [3, 3, CHANNELS, FILTERS]);
  const weights = tf.tensor2d(given.weights, [HALF * HALF * FILTERS, CLASSES]);
  const direction = tf.tensor2d(given.direction, [1, CLASSES]);
  const chain = (input: TF.Tensor4D) => {
    const convolved = tf.conv2d(input, filter, 1, 'same');
    const activated = tf.relu(convolved);
    const pooled = tf.maxPool(activated, 2, 2, 'valid');
    return { convolved, activated, pooled, product: tf.matMul(tf.reshape(pooled, [1, -1]), weights) };
  };
  const { convolved, activated, pooled, product } = chain(x);
  const gradient = tf.grad((input) => tf.sum(tf.mul(chain(input as TF.Tensor4D).product, direction)))(x);
  return [convolved, activated, pooled, product, gradient];
}

async function compare(
  name: string,
  tensor: TF.Tensor,
  expected: readonly number[],
): Promise<SelfTestResult> {
  const received = await tensor.data();
  const differences = expected.map((value, i) => Math.abs(value - Number(received[i] ?? NaN)));
  // A missing value is NaN, which Math.max keeps and `<=` refuses.
  const maxDifference = received.length === expected.length ? Math.max(...differences) : NaN;
  return { name, ok: maxDifference <= TOLERANCE, maxDifference };
}

/** Small multiples of 1/8 between -1 and 1, always the same. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 17) / 8 - 1;
  });
}

/** The same computation written as loops, with the gradient by hand. */
export function reference() {
  const x = numbers(SIZE * SIZE * CHANNELS, 1);
  const filter = numbers(9 * CHANNELS * FILTERS, 2);
  const weights = numbers(HALF * HALF * FILTERS * CLASSES, 3);
  const direction = [1, -0.5];
  const convolved = new Array<number>(SIZE * SIZE * FILTERS).fill(0);
  eachTap((pixel, source, tap) => (convolved[pixel]! += x[source]! * filter[tap]!));
  const activated = convolved.map((value) => Math.max(0, value));
  const winners = maxima(activated);
  const pooled = winners.map((at) => activated[at]!);
  const column = (c: number) => pooled.reduce((sum, value, i) => sum + value * weights[i * CLASSES + c]!, 0);
  const product = [column(0), column(1)];
  const upstream = new Array<number>(convolved.length).fill(0);
  winners.forEach((at, i) => {
    const slope = direction[0]! * weights[i * CLASSES]! + direction[1]! * weights[i * CLASSES + 1]!;
    if (convolved[at]! > 0) upstream[at] = slope;
  });
  const gradient = new Array<number>(x.length).fill(0);
  eachTap((pixel, source, tap) => (gradient[source]! += upstream[pixel]! * filter[tap]!));
  return { x, filter, weights, direction, convolved, activated, pooled, product, gradient };
}

/** Visits every (output, input, filter) triple of a 3x3 convolution with zero padding; indices are flat. */
function eachTap(visit: (output: number, input: number, filter: number) => void): void {
  for (let output = 0; output < SIZE * SIZE * FILTERS; output++) {
    const [f, column, row] = [
      output % FILTERS,
      Math.floor(output / FILTERS) % SIZE,
      Math.floor(output / FILTERS / SIZE),
    ];
    for (let tap = 0; tap < 9 * CHANNELS; tap++) {
      const [c, dx, dy] = [tap % CHANNELS, Math.floor(tap / CHANNELS) % 3, Math.floor(tap / CHANNELS / 3)];
      const [inputRow, inputColumn] = [row + dy - 1, column + dx - 1];
      if (inputRow < 0 || inputRow >= SIZE || inputColumn < 0 || inputColumn >= SIZE) continue;
      visit(output, (inputRow * SIZE + inputColumn) * CHANNELS + c, tap * FILTERS + f);
    }
  }
}

/** The flat index of the largest value of every 2x2 window. */
function maxima(values: readonly number[]): number[] {
  return Array.from({ length: HALF * HALF * FILTERS }, (_, i) => {
    const [f, column, row] = [i % FILTERS, Math.floor(i / FILTERS) % HALF, Math.floor(i / FILTERS / HALF)];
    const corners = [0, 1, SIZE, SIZE + 1].map((step) => (2 * row * SIZE + 2 * column + step) * FILTERS + f);
    return corners.reduce((best, at) => (values[at]! > values[best]! ? at : best));
  });
}
