import type { Edge, Graph } from './graph.ts';
import type { Binding } from './native.ts';
import { convolution, geometry, type Geometry } from './convolution.ts';
import { filterGradient, hasAvx512 } from './filter-gradient.ts';
import { splitGradient } from './joined.ts';
import { hasWinograd, winogradConvolutions } from './winograd.ts';
import { attribute, Builder, constantOf, rewrite, shapeOf, type Rule } from './rewrite.ts';

/** What is at hand; looked up unless said. */
interface Means {
  readonly avx512?: boolean;
  readonly winograd?: boolean;
}

/**
 * Rewrites the convolutions of a graph into cheaper operators of the same value but for rounding: batch normalisation
 * with constant statistics goes into the kernel, forward and backward; gradients of convolutions become convolutions
 * and matrix products, for which oneDNN has faster code, and those of joined channels are computed in parts; bias and
 * ReLU become part of the convolution, and 3x3 convolutions of many channels run by Winograd's algorithm.
 */
export function fuse(graph: Graph, binding: Binding, { avx512, winograd }: Means = {}): Graph {
  const build = new Builder(binding);
  const passes: ((current: Graph) => Rule[])[] = [
    () => [dropReshape],
    () => [foldNormalisation(build), foldGradientScale(build)],
    () => [splitGradient(build)],
    // With AVX-512 oneDNN's own code is faster than products.
    ...((avx512 ?? hasAvx512()) ? [] : [() => [filterGradient(build)]]),
    () => [inputGradient(build)],
    () => [biasAndActivation(build)],
    ...((winograd ?? hasWinograd(binding))
      ? [(current: Graph) => [winogradConvolutions(build, current)]]
      : []),
  ];
  return passes.reduce((current, rules) => rewrite(current, rules(current)), graph);
}

/** TensorFlow.js reshapes to the same shape, as around batch normalisation; nothing is copied, but it stands between. */
const dropReshape: Rule = ({ node, now }) => {
  if (node.op !== 'Reshape') return undefined;
  const [x] = node.inputs as [Edge];
  return shapeOf(x).join() === shapeOf({ node, index: 0 }).join() ? now(x) : undefined;
};

/** conv -> batch norm with constant statistics = conv with a scaled kernel, + bias. */
function foldNormalisation(build: Builder): Rule {
  return ({ node, now, uses }) => {
    if (!node.op.startsWith('FusedBatchNorm') || attribute(node, 'is_training') !== false) return undefined;
    const [x, ...parameters] = node.inputs as [Edge, ...Edge[]];
    const conv = x.node;
    if (conv.op !== 'Conv2D' || uses(conv) > 1 || attribute(conv, 'data_format') !== 'NHWC') return undefined;
    const [scale, offset, mean, variance] = parameters.map(constantOf);
    const kernel = constantOf(conv.inputs[1]!);
    if (!kernel || !scale || !offset || !mean || !variance) return undefined;
    const epsilon = attribute(node, 'epsilon') as number;
    const factor = Float32Array.from(scale, (value, c) => value / Math.sqrt(variance[c]! + epsilon));
    const bias = Float32Array.from(offset, (value, c) => value - mean[c]! * factor[c]!);
    const scaled = build.constant(scaleChannels(kernel, factor), shapeOf(conv.inputs[1]!));
    const shape = shapeOf(x);
    const result = build.node('Conv2D', conv.attributes, [now(conv.inputs[0]!), scaled], shape);
    return build.node('BiasAdd', [build.type('T')], [result, build.constant(bias, [bias.length])], shape);
  };
}

/** The same backwards: dy * factor, then the gradient of the convolution = the gradient with a scaled kernel. */
function foldGradientScale(build: Builder): Rule {
  return ({ node, now, uses }) => {
    if (node.op !== 'Conv2DBackpropInput' || attribute(node, 'data_format') !== 'NHWC') return undefined;
    const [size, filter, dy] = node.inputs as [Edge, Edge, Edge];
    const kernel = constantOf(filter);
    if (!kernel || dy.node.op !== 'Mul' || uses(dy.node) > 1) return undefined;
    const [gradient, factors] = dy.node.inputs as [Edge, Edge];
    const factor = constantOf(factors);
    const channels = shapeOf(filter)[3]!;
    if (!factor || factor.length !== channels || shapeOf(factors).at(-1) !== channels) return undefined;
    const scaled = build.constant(scaleChannels(kernel, factor), shapeOf(filter));
    return build.node(
      node.op,
      node.attributes,
      [now(size), scaled, now(gradient)],
      shapeOf({ node, index: 0 }),
    );
  };
}

function scaleChannels(kernel: ArrayLike<number>, factor: ArrayLike<number>): Float32Array {
  return Float32Array.from(kernel, (value, i) => value * factor[i % factor.length]!);
}

/**
 * The gradient with respect to the input of a convolution of stride 1 is the convolution of dy with the kernel turned by
 * 180 degrees and its channels exchanged. Turning a kernel that is not constant at every step would cost more than it gives.
 */
function inputGradient(build: Builder): Rule {
  return ({ node, now }) => {
    if (node.op !== 'Conv2DBackpropInput') return undefined;
    const [, filter, dy] = node.inputs.map(now) as [Edge, Edge, Edge];
    const kernel = constantOf(filter);
    const forward = geometry(node, shapeOf(filter));
    if (!kernel || !forward) return undefined;
    const { zeros, reach } = forward;
    const outer = zeros.map((n, side) => reach[side < 2 ? 0 : 1] - n) as unknown as Geometry['zeros'];
    if (outer.some((n) => n < 0)) return undefined;
    return convolution(build, dy, turn(build, kernel, shapeOf(filter)), { ...forward, zeros: outer });
  };
}

/** `[kh,kw,in,out]` to `[kh,kw,out,in]`, turned by 180 degrees. */
function turn(build: Builder, kernel: ArrayLike<number>, shape: readonly number[]): Edge {
  const [kh, kw, from, to] = shape as [number, number, number, number];
  const result = new Float32Array(kernel.length);
  for (let k = 0; k < kh * kw; k++) {
    const [source, target] = [k * from * to, (kh * kw - 1 - k) * from * to];
    for (let i = 0; i < from; i++) {
      for (let o = 0; o < to; o++) result[target + o * from + i] = kernel[source + i * to + o]!;
    }
  }
  return build.constant(result, [kh, kw, to, from]);
}

/** conv -> + bias -> ReLU as one operator, where nothing else uses what is in between. */
function biasAndActivation(build: Builder): Rule {
  return ({ node, now, uses }) => {
    if (node.op !== 'Relu') return undefined;
    const sum = node.inputs[0]!.node;
    if (!['Add', 'AddV2', 'BiasAdd'].includes(sum.op) || uses(sum) > 1) return undefined;
    const [conv, bias] = sum.inputs as [Edge, Edge];
    if (conv.node.op !== 'Conv2D' || uses(conv.node) > 1 || attribute(conv.node, 'data_format') !== 'NHWC') {
      return undefined;
    }
    const shape = shapeOf(conv);
    if (shapeOf(bias).length !== 1 || shapeOf(bias)[0] !== shape[3]) return undefined;
    const attributes = [
      ...conv.node.attributes.filter(({ name }) => name !== 'use_cudnn_on_gpu'),
      { ...build.type('TArgs'), value: [build.type('T').value] },
      build.int('num_args', 1),
      build.string('fused_ops', ['BiasAdd', node.op]),
    ];
    return build.node('_FusedConv2D', attributes, [...conv.node.inputs.map(now), now(bias)], shape);
  };
}
