import { geometry } from './convolution.ts';
import { closeSession, openSession, reachable, type Edge, type Graph, type Node } from './graph.ts';
import type { Binding } from './native.ts';
import { attribute, Builder, constantOf, shapeOf, type Rule } from './rewrite.ts';
import { intraOpThreads } from './session.ts';

/** The operator of kernel/winograd_conv2d.cc, compiled into the addon. */
const WINOGRAD = 'RobustWinogradConv2D';
/** The operator computes whole vectors of channels. */
const LANES = 16;
/** Transforming costs in proportion to input plus output channels, what it saves to their product: least product / sum. */
const MIN_CHANNELS = 16;
/** Matrix products over fewer tiles are too flat. */
const MIN_TILES = 16;
/** Transformed kernels take four times their memory; those with the fewest pixels go without first. */
const MAX_KERNEL_BYTES = 256 * 2 ** 20;

/**
 * Computes 3x3 convolutions of many channels, and so their input gradients, with a quarter of the multiplications; joins the
 * channels that go in and applies what follows, bias, ReLU or the gradient of a ReLU, on the way. The relative rounding
 * error is 1 to 3e-6 instead of 3 to 8e-7.
 */
export function winogradConvolutions(build: Builder, graph: Graph): Rule {
  const chosen = choose(graph);
  return ({ node, now, uses }) => {
    if (chosen.has(node)) return convolve(build, node, now);
    if (node.op !== 'ReluGrad') return undefined;
    const [{ node: gradient }, features] = node.inputs as [Edge, Edge];
    if (gradient.op !== 'Conv2D' || !chosen.has(gradient) || uses(gradient) > 1) return undefined;
    return convolve(build, gradient, now, now(features));
  };
}

/** Whether the addon has the operator: upstream's own has not, and on a GPU cuDNN has better ones. */
export function hasWinograd(binding: Binding): boolean {
  let known = support.get(binding);
  if (known === undefined) {
    known = !binding.isUsingGpuDevice() && opens(binding);
    support.set(binding, known);
  }
  return known;
}

const support = new WeakMap<Binding, boolean>();

function opens(binding: Binding): boolean {
  const build = new Builder(binding);
  const [x, kernel] = [
    [1, 1, 1, LANES],
    [3, 3, LANES, LANES],
  ].map((shape) => build.constant(new Float32Array(shape.reduce((a, b) => a * b)), shape)) as [Edge, Edge];
  const output = build.node(WINOGRAD, [build.int('zeros', [1, 1, 1, 1])], [x, kernel], [1, 1, 1, LANES]);
  try {
    closeSession(openSession({ inputs: [], outputs: [output] }, binding), binding);
    return true;
  } catch {
    return false;
  }
}

function choose(graph: Graph): Set<Node> {
  const pixels = (node: Node) => node.outputs[0]!.shape.slice(0, 3).reduce((a, b) => a * b, 1);
  const nodes = reachable(graph);
  const compared = new Set(
    reachable({ inputs: [], outputs: nodes.filter(pools).flatMap(({ inputs }) => inputs) }),
  );
  let bytes = 0;
  const chosen = nodes
    .filter((node) => fits(node) && !compared.has(node))
    .sort((a, b) => pixels(b) - pixels(a))
    .filter((node) => {
      const [from, to] = shapeOf(node.inputs[1]!).slice(2) as [number, number];
      bytes += 4 * 36 * from * to;
      return bytes <= MAX_KERNEL_BYTES;
    });
  return new Set(chosen);
}

/**
 * Of equal neighbours, as flat parts of an image have them, max pooling takes the first. Behind Winograd's algorithm they
 * are equal but for rounding, and gradients would go to others: what is compared is convolved directly.
 */
function pools({ op }: Node): boolean {
  return op.startsWith('MaxPool') && !op.includes('Grad');
}

function fits(node: Node): boolean {
  if (node.op !== 'Conv2D' && !(node.op === '_FusedConv2D' && fusesRelu(node))) return false;
  const kernel = node.inputs[1]!;
  const [kh, kw, from, to] = shapeOf(kernel) as [number, number, number, number];
  const form = geometry(node, [kh, kw]);
  if (kh !== 3 || kw !== 3 || form?.reach[0] !== 2 || form.reach[1] !== 2 || !constantOf(kernel))
    return false;
  const [n, h, w] = node.outputs[0]!.shape as [number, number, number];
  return (
    from % LANES === 0 &&
    to % LANES === 0 &&
    (from * to) / (from + to) >= MIN_CHANNELS &&
    n * Math.ceil(h / 4) * Math.ceil(w / 4) >= MIN_TILES
  );
}

function fusesRelu(node: Node): boolean {
  return String(attribute(node, 'fused_ops')) === 'BiasAdd,Relu' && node.inputs.length === 3;
}

/** The convolution as one operator; with `gate` it is 0 where that is not positive. */
function convolve(build: Builder, node: Node, now: (edge: Edge) => Edge, gate?: Edge): Edge {
  const [x, kernel, ...bias] = node.inputs as [Edge, Edge, ...Edge[]];
  const [first, ...others] = joinedParts(x);
  const gates = gate ? [gate] : [];
  const attributes = [
    build.int('zeros', geometry(node, shapeOf(kernel))!.zeros),
    build.int('joined', others.length),
    build.int('biases', bias.length),
    build.int('gates', gates.length),
    build.bool('relu', node.op === '_FusedConv2D'),
    build.int('threads', intraOpThreads()),
  ];
  const inputs = [...[first!, kernel, ...others, ...bias].map(now), ...gates];
  return build.node(WINOGRAD, attributes, inputs, shapeOf({ node, index: 0 }));
}

/** What was joined along the channels, or x itself. */
function joinedParts(x: Edge): readonly Edge[] {
  const { op, inputs } = x.node;
  const parts = inputs.slice(0, -1);
  const joins = op === 'ConcatV2' && constantOf(inputs.at(-1)!)?.[0] === 3;
  return joins && parts.every((part) => shapeOf(part)[3]! % LANES === 0) ? parts : [x];
}
