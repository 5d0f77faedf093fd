import type { Context, InspectRequest, LayerDescription, ModelDescription } from '../../../core/index.ts';
import { graphModel, isComputed, nodeOf, type Graph, type GraphNode } from './graph-model.ts';
import { assumed } from './inspect.ts';
import type { Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';

/** What a graph holds, and how it would be used. Where every operator is computed, the graph runs once, which tells shapes. */
export function inspectGraph(
  graph: Graph,
  path: string,
  request: InspectRequest,
  options: ForeignOptions,
  ctx: Context,
  notes: Notes,
): ModelDescription {
  const { input, outputs } = graph;
  const sides = (shape: readonly number[] | undefined) =>
    shape?.map((side) => (side < 0 ? null : side)) ?? null;
  const nodes = ordered(graph).filter(({ op }) => op !== 'Const' && !op.startsWith('Placeholder'));
  const found = graphModel(graph, path, '', notes);
  try {
    const all = nodes.every((node) => isComputed(graph, node));
    const used = all ? assumed(found, request, options, ctx, notes) : undefined;
    const shapes = found.seen()?.shapes ?? new Map<string, readonly number[]>();
    const portOf = ({ name, value, type, shape }: Graph['outputs'][number]) => {
      const seen = shapes.get(nodeOf(value))?.with(0, -1);
      return { name, type, shape: sides(shape ?? seen) };
    };
    return {
      taps: [],
      inputs: [{ name: input.name, type: input.dtype, shape: sides(input.shape) }],
      outputs: outputs.map(portOf),
      operators: countOperators(graph, nodes),
      layers: layersOf(graph, nodes, shapes),
      ...(used ?? { notes: ['sizes are not known: not every operator is computed'] }),
    };
  } finally {
    found.dispose();
  }
}

/** Nodes after those whose results they use. */
function ordered({ nodes, scored }: Graph): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const done = new Set<GraphNode>();
  const open = [byName.get(nodeOf(scored))!];
  const entered = new Set<GraphNode>();
  while (open.length > 0) {
    const node = open.at(-1)!;
    if (entered.has(node)) {
      done.add(node);
      open.pop();
      continue;
    }
    entered.add(node);
    const inputs = (node.input ?? []).map((each) => byName.get(nodeOf(each))!);
    open.push(...inputs.filter((each) => !entered.has(each)).reverse());
  }
  return [...done];
}

function countOperators(graph: Graph, nodes: readonly GraphNode[]) {
  const names = [...new Set(nodes.map(({ op }) => op))].sort();
  return names.map((name) => {
    const own = nodes.filter(({ op }) => op === name);
    return { name, count: own.length, computed: own.every((node) => isComputed(graph, node)) };
  });
}

/** Operators that work on images or hold weights; a constant counts where it is used first. */
function layersOf(
  { model, input, nodes: all }: Graph,
  nodes: readonly GraphNode[],
  shapes: ReadonlyMap<string, readonly number[]>,
): LayerDescription[] {
  const onImages = new Set([input.name]);
  const counted = new Set<string>();
  const weightsOf = (reference: string): number => {
    const name = constantOf(all, reference);
    const [weight] = model.weights[name] ?? [];
    if (!weight || counted.has(name) || weight.dtype !== 'float32' || weight.size < 2) return 0;
    counted.add(name);
    return weight.size;
  };
  return nodes.flatMap((node) => {
    const inputs = node.input ?? [];
    const works = inputs.some((each) => onImages.has(nodeOf(each))) && node.op !== 'Shape';
    if (works) onImages.add(node.name);
    if (node.op === 'Identity') return [];
    const weights = inputs.map(weightsOf);
    const parameters = weights.reduce((sum, size) => sum + size, 0);
    if (!works && parameters === 0) return [];
    const fixed = node.op.startsWith('FusedBatchNorm') ? weights[3]! + weights[4]! : 0;
    const output = shapes.get(node.name);
    return [
      {
        ...{ name: node.name, type: node.op },
        output: output ? output.slice(works ? 1 : 0) : null,
        ...{ trainable: parameters - fixed, fixed },
        multiplyAccumulates: output
          ? multiplyAccumulates(
              node,
              inputs.map((each) => shapes.get(nodeOf(each)) ?? []),
              output,
            )
          : null,
      },
    ];
  });
}

/** The name of a constant, seen through operators that only pass it on. */
function constantOf(nodes: readonly GraphNode[], reference: string): string {
  const node = nodes.find(({ name }) => name === nodeOf(reference));
  return node?.op === 'Identity' ? constantOf(nodes, node.input![0]!) : (node?.name ?? '');
}

/** Of convolutions and products of matrices, for one image; elementwise arithmetic is not counted. */
function multiplyAccumulates(
  { op, attr }: GraphNode,
  [a = [], b = [], c = []]: readonly (readonly number[])[],
  output: readonly number[],
): number | null {
  const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1);
  const image = product(output.slice(1));
  if (op === 'Conv2D' || op === '_FusedConv2D') return image * product(b.slice(0, 3));
  if (op === 'Conv2DBackpropInput') return product(c.slice(1)) * product(b.slice(0, 3));
  if (/Depthwise/.test(op)) return image * product(b.slice(0, 2));
  const transposed = (attr as { transpose_a?: { b?: boolean } } | undefined)?.transpose_a?.b === true;
  if (/MatMul/.test(op)) return image * (a.at(transposed ? -2 : -1) ?? 1);
  return op === 'Einsum' ? null : 0;
}
