import type { Edge, Node } from './graph.ts';
import { attribute, shapeOf, type Builder } from './rewrite.ts';

/** A convolution of stride 1 over `[N,H,W,C]`. */
export interface Geometry {
  readonly dilations: readonly number[];
  /** Zeros around the input. */
  readonly zeros: readonly [top: number, bottom: number, left: number, right: number];
  /** By how much an output without zeros is smaller than its input: (kernel size - 1) * dilation. */
  readonly reach: readonly [vertical: number, horizontal: number];
}

/** The geometry of `Conv2D` and its gradients; undefined for other layouts and strides. */
export function geometry(node: Node, kernel: readonly number[]): Geometry | undefined {
  const strides = attribute(node, 'strides') as readonly number[];
  if (attribute(node, 'data_format') !== 'NHWC' || strides.some((stride) => stride !== 1)) return undefined;
  const dilations = (attribute(node, 'dilations') as readonly number[] | undefined) ?? [1, 1, 1, 1];
  const reach = [(kernel[0]! - 1) * dilations[1]!, (kernel[1]! - 1) * dilations[2]!] as const;
  const explicit = attribute(node, 'explicit_paddings') as readonly number[] | undefined;
  switch (attribute(node, 'padding')) {
    case 'EXPLICIT':
      return { dilations, reach, zeros: explicit!.slice(2, 6) as unknown as Geometry['zeros'] };
    case 'SAME':
      return { dilations, reach, zeros: [...halves(reach[0]), ...halves(reach[1])] };
    default:
      return { dilations, reach, zeros: [0, 0, 0, 0] };
  }
}

function halves(total: number): [before: number, after: number] {
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** A `Conv2D` of x `[N,H,W,Cin]` with a kernel `[kh,kw,Cin,Cout]`. */
export function convolution(
  build: Builder,
  x: Edge,
  kernel: Edge,
  { dilations, zeros, reach }: Geometry,
): Edge {
  const [top, bottom, left, right] = zeros;
  const [n, h, w] = shapeOf(x) as [number, number, number];
  const same = [...halves(reach[0]), ...halves(reach[1])].every((zero, side) => zero === zeros[side]);
  const attributes = [
    build.type('T'),
    build.int('strides', [1, 1, 1, 1]),
    build.int('dilations', dilations),
    build.string('data_format', 'NHWC'),
    build.string('padding', same ? 'SAME' : 'EXPLICIT'),
    ...(same ? [] : [build.int('explicit_paddings', [0, 0, top, bottom, left, right, 0, 0])]),
  ];
  const shape = [n, h + top + bottom - reach[0], w + left + right - reach[1], shapeOf(kernel)[3]!];
  return build.node('Conv2D', attributes, [x, kernel], shape);
}
