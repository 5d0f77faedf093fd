import { matMul, reshape, tensor2d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { geometry } from './convolution.ts';
import { reachable, type Edge, type Graph, type Node } from './graph.ts';
import { constantOf, shapeOf, type Builder, type Rule } from './rewrite.ts';

/**
 * F(4x4, 3x3): y = A' [(G k G') . (B' d B)] A over tiles d of 6x6 that overlap by 2; these are B', G and A' for the points 0, 1,
 * -1, 1/2, -2 and infinity, whose rounding error is two thirds of that of the usual 0, 1, -1, 2, -2.
 */
const INPUT = [
  [1, -3 / 2, -2, 3 / 2, 1, 0],
  [0, -1, 1 / 2, 5 / 2, 1, 0],
  [0, 1, -5 / 2, 1 / 2, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 1 / 2, -1, -1 / 2, 1, 0],
  [0, 1, -3 / 2, -2, 3 / 2, 1],
];
const KERNEL = [
  [1, 0, 0],
  [1 / 3, 1 / 3, 1 / 3],
  [-1 / 3, 1 / 3, -1 / 3],
  [-16 / 15, -8 / 15, -4 / 15],
  [1 / 15, -2 / 15, 4 / 15],
  [0, 0, 1],
];
const OUTPUT = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 1 / 2, -2, 0],
  [0, 1, 1, 1 / 4, 4, 0],
  [0, 1, -1, 1 / 8, -8, 1],
];
type Rows = readonly (readonly number[])[];

/** Rows and columns that a tile takes in, and that it gives. */
const IN = INPUT.length;
const OUT = OUTPUT.length;

/**
 * Transforming costs in proportion to input plus output channels, what it saves to their product: below this
 * product / sum it does not pay (measured; 64 and 64 channels break even).
 */
const MIN_CHANNELS = 48;
/** Matrix products over fewer tiles than this are too flat. */
const MIN_TILES = 16;
/** Transformed constant kernels take four times their memory; those with the fewest pixels go without first. */
const MAX_KERNEL_BYTES = 256 * 2 ** 20;

/**
 * Computes the gradients with respect to the input of 3x3 convolutions of many channels with a quarter of the
 * multiplications: on AVX2 in half the time; with AVX-512 oneDNN's direct ones are faster. The relative rounding error is 1 to
 * 2e-6 instead of 3 to 8e-7. Gradients are linear in dy, so it stays that small; the forward pass is left alone, because
 * there it would switch ReLUs.
 * Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
 */
export function winograd(build: Builder, graph: Graph): Rule {
  const chosen = choose(graph);
  return ({ node, now }) => {
    if (!chosen.has(node)) return undefined;
    const [, kernel, dy] = node.inputs.map(now) as [Edge, Edge, Edge];
    const [top, , left] = geometry(node, shapeOf(kernel))!.zeros;
    return new Winograd(build, shapeOf({ node, index: 0 })).convolve(dy, kernel, 2 - top, 2 - left);
  };
}

function choose(graph: Graph): Set<Node> {
  const fitting = reachable(graph).filter(fits);
  const pixels = (node: Node) => node.outputs[0]!.shape.slice(0, 3).reduce((a, b) => a * b, 1);
  let bytes = 0;
  const chosen = fitting
    .sort((a, b) => pixels(b) - pixels(a))
    .filter((node) => {
      const kernel = node.inputs[1]!;
      if (constantOf(kernel)) bytes += 4 * IN * IN * shapeOf(kernel)[2]! * shapeOf(kernel)[3]!;
      return bytes <= MAX_KERNEL_BYTES;
    });
  return new Set(chosen);
}

/** Whether an input gradient goes by tiles, if there is memory for its kernel. */
export function fits(node: Node): boolean {
  if (node.op !== 'Conv2DBackpropInput') return false;
  const [kh, kw, from, to] = shapeOf(node.inputs[1]!) as [number, number, number, number];
  const form = geometry(node, [kh, kw]);
  if (kh !== 3 || kw !== 3 || !form || form.reach[0] !== 2 || form.reach[1] !== 2) return false;
  if (form.zeros.some((n) => n > 2)) return false;
  const [n, h, w] = node.outputs[0]!.shape as [number, number, number];
  return (
    (from * to) / (from + to) >= MIN_CHANNELS && n * Math.ceil(h / OUT) * Math.ceil(w / OUT) >= MIN_TILES
  );
}

class Winograd {
  readonly #build: Builder;
  readonly #shape: readonly [n: number, height: number, width: number, channels: number];
  /** Tiles along each axis. */
  readonly #rows: number;
  readonly #columns: number;

  /** `shape` is that of the result. */
  constructor(build: Builder, shape: readonly number[]) {
    this.#build = build;
    this.#shape = shape as [number, number, number, number];
    this.#rows = Math.ceil(shape[1]! / OUT);
    this.#columns = Math.ceil(shape[2]! / OUT);
  }

  /** The convolution of x with the turned kernel, behind `top` and `left` zeros. */
  convolve(x: Edge, kernel: Edge, top: number, left: number): Edge {
    const build = this.#build;
    const [n, , , channels] = this.#shape;
    const tiles = n * this.#rows * this.#columns;
    const data = build.reshape(this.#transformInput(x, top, left), [IN * IN, tiles, shapeOf(x)[3]!]);
    const factors = transformKernel(build, kernel);
    return this.#transformOutput(build.batchProduct(data, factors, true, [IN * IN, tiles, channels]));
  }

  /** `[N,H,W,C]` to the 6x6 elements of every tile, `[6,6,N*rows*columns*C]`. */
  #transformInput(x: Edge, top: number, left: number): Edge {
    const build = this.#build;
    const [n, h, w, c] = shapeOf(x) as [number, number, number, number];
    const [rows, columns] = [this.#rows, this.#columns];
    // With four more rows and columns than the tiles give, every element of all tiles is one slice.
    const [height, width] = [OUT * (rows + 1), OUT * (columns + 1)];
    const padded = build.pad(x, [top, height - h - top, left, width - w - left]);
    const across = this.#elements(padded, [n * height, columns + 1, c], columns);
    const first = build.product(matrix(build, INPUT), across);
    const down = this.#elements(first, [IN * n, rows + 1, columns * c], rows);
    return build.product(matrix(build, INPUT), down);
  }

  /** Of lines `[lines,(tiles+1)*4,depth]` the six elements of every tile, `[6,lines*tiles*depth]`. */
  #elements(x: Edge, [lines, groups, depth]: readonly [number, number, number], tiles: number): Edge {
    const build = this.#build;
    const grouped = build.reshape(x, [lines, groups, OUT, depth]);
    const parts = INPUT.map((_, element) => {
      const begin = [0, Math.floor(element / OUT), element % OUT, 0];
      return build.slice(grouped, begin, [lines, tiles, 1, depth]);
    });
    return build.reshape(build.concat(parts, 0), [IN, lines * tiles * depth]);
  }

  /** `[36,tiles,C]` to `[N,H,W,C]`. */
  #transformOutput(products: Edge): Edge {
    const build = this.#build;
    const [n, h, w, c] = this.#shape;
    const size = n * this.#rows * this.#columns * c;
    const outer = build.product(matrix(build, OUTPUT), build.reshape(products, [IN, IN * size]));
    const inner = build.batchProduct(matrix(build, OUTPUT), build.reshape(outer, [OUT, IN, size]), false, [
      4,
      4,
      size,
    ]);
    const tiles = build.reshape(inner, [OUT, OUT, n * this.#rows, this.#columns, c]);
    const ordered = build.transpose(tiles, [2, 0, 3, 1, 4]);
    const whole = build.reshape(ordered, [n, OUT * this.#rows, OUT * this.#columns, c]);
    return build.slice(whole, [0, 0, 0, 0], [n, h, w, c]);
  }
}

/** G k G' of a kernel `[3,3,in,out]` turned by 180 degrees, `[6*6,in,out]`. */
function transformKernel(build: Builder, kernel: Edge): Edge {
  const [, , from, to] = shapeOf(kernel) as [number, number, number, number];
  const turned = KERNEL.map((row) => row.toReversed());
  const values = constantOf(kernel);
  if (values) return build.held(transformValues(values as Float32Array, turned, [IN * IN, from, to]));
  const size = from * to;
  const g = matrix(build, turned);
  const inner = build.batchProduct(g, build.reshape(kernel, [3, 3, size]), false, [3, IN, size]);
  return build.reshape(build.product(g, build.reshape(inner, [3, IN * size])), [IN * IN, from, to]);
}

/** The same of a constant kernel, as one matrix product. */
function transformValues(kernel: Float32Array, factors: Rows, shape: [number, number, number]): Tensor {
  return tidy(() => {
    const both = factors.flatMap((down) =>
      factors.map((across) => down.flatMap((a) => across.map((b) => a * b))),
    );
    const product = matMul(tensor2d(both), tensor2d(kernel, [9, shape[1] * shape[2]]));
    return reshape(product, shape);
  });
}

function matrix(build: Builder, rows: Rows): Edge {
  return build.constant(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);
}
