import type { Context, InspectRequest, LayerDescription, ModelDescription } from '../../../core/index.ts';
import type { Notes } from '../foreign/notes.ts';
import { assumed } from '../foreign/inspect.ts';
import type { ModelFile } from './file.ts';
import { makeModel, type Node, type Port } from './graph.ts';
import { onnxModel } from './model.ts';
import type { Options } from './options.ts';
import { imageInput } from './ports.ts';
import { allNodes, isComputed } from './program.ts';
import { isFloat, typeName } from './types.ts';
import { IMAGE, type Value } from './value.ts';

/**
 * What an ONNX file holds, and how it would be used. Where every operator is computed, the model runs once, which tells the
 * shapes; images have the size that the file asks for, else the one that is given.
 */
export function inspectFile(
  file: ModelFile,
  request: InspectRequest,
  options: Options,
  ctx: Context,
): ModelDescription {
  const model = makeModel(file);
  const { graph } = model;
  const nodes = allNodes(graph.nodes);
  const told = {
    taps: [],
    inputs: graph.inputs.map(describePort),
    outputs: graph.outputs.map(describePort),
    operators: countOperators(nodes),
  };
  const notes: Notes = [];
  if (!nodes.every(({ op }) => isComputed(op))) {
    const layers = nodes.map((node) => ({ ...unseen, name: node.name, type: node.op }));
    return { ...told, layers, notes: ['sizes are not known: not every operator is computed'] };
  }
  const { sides } = imageInput(model, options.layout, []);
  const counter = new LayerCounter(graph.constants, sides.batch ?? 1);
  const network = onnxModel(file, options, notes, (...seen) => counter.see(...seen));
  try {
    const found = assumed(network, request, options, ctx, notes);
    return { ...told, layers: counter.layers, ...found };
  } finally {
    network.dispose();
  }
}

const unseen = { output: null, trainable: 0, fixed: 0, multiplyAccumulates: null };

function describePort({ name, type, shape }: Port) {
  return {
    name,
    type: typeName(type),
    shape: shape ? shape.map((side) => (side === '' ? null : side)) : null,
  };
}

function countOperators(nodes: readonly Node[]) {
  const names = [...new Set(nodes.map(({ op }) => op))].sort();
  return names.map((name) => ({
    name,
    count: nodes.filter(({ op }) => op === name).length,
    computed: isComputed(name),
  }));
}

/** Inputs that are settings, whatever their type. */
const settings = new Set(['Resize', 'Upsample', 'Clip', 'Pad']);

/** Collects the operators that work on images, or hold weights, in the order in which they run first. */
class LayerCounter {
  readonly #seen = new Map<Node, LayerDescription>();
  readonly #counted = new Set<string>();
  readonly #constants: ReadonlyMap<string, Value>;
  readonly #batch: number;

  constructor(constants: ReadonlyMap<string, Value>, batch: number) {
    this.#constants = constants;
    this.#batch = batch;
  }

  get layers(): LayerDescription[] {
    return [...this.#seen.values()];
  }

  see(node: Node, inputs: readonly (Value | undefined)[], [output]: readonly Value[]): void {
    if (this.#seen.has(node) || !output) return;
    const weights = settings.has(node.op) ? [] : node.inputs.map((name) => this.#weights(name));
    const all = weights.reduce((sum, count) => sum + count, 0);
    if (output.level !== IMAGE && all === 0) return;
    // Statistics of batch normalisation, and whole numbers, are not what training moves.
    const running = node.op === 'BatchNormalization' ? weights.slice(3) : [];
    const fixed = node.op === 'DequantizeLinear' ? all : running.reduce((sum, count) => sum + count, 0);
    this.#seen.set(node, {
      name: node.name,
      type: node.op,
      output: output.level === IMAGE ? output.shape.slice(1) : output.shape,
      trainable: all - fixed,
      fixed,
      multiplyAccumulates: multiplyAccumulates(node, inputs, output) / this.#batch,
    });
  }

  /** Values of a constant of the file, unless an operator before has them; a single whole number is no weight. */
  #weights(name: string): number {
    const value = this.#constants.get(name);
    if (!value || this.#counted.has(name)) return 0;
    this.#counted.add(name);
    return isFloat(value.type) || value.size > 1 ? value.size : 0;
  }
}

/** Of convolutions and products of matrices; elementwise arithmetic is not counted. */
function multiplyAccumulates(
  { op, attributes }: Node,
  inputs: readonly (Value | undefined)[],
  output: Value,
): number {
  const [a, b] = inputs.map((value) => value?.shape ?? []) as [readonly number[], readonly number[]];
  const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1);
  if (op === 'Conv') return output.size * product(b.slice(1));
  if (op === 'ConvTranspose') return product(a) * product(b.slice(1));
  if (op === 'MatMul') return output.size * (a.at(-1) ?? 1);
  if (op === 'Gemm') return output.size * (attributes.get('transA')?.i ? a[0]! : a[1]!);
  return 0;
}
