import { reachable, type Edge, type Graph, type Node } from './graph.ts';
import type { Attribute, Binding, Values } from './native.ts';

/** Where a rule finds what it needs to replace one node. */
export interface Site {
  /** The node as it was before this pass; its inputs are old ones too, so that patterns can be followed upwards. */
  readonly node: Node;
  /** What an old edge has become. */
  now(edge: Edge): Edge;
  /** How many inputs and outputs of the old graph use a node. */
  uses(node: Node): number;
}

/** The new edges for the outputs of a node (one alone for its first), or undefined to leave the node as it is. */
export type Rule = (site: Site) => Edge | readonly Edge[] | undefined;

/** Goes over a graph once, inputs before users, and applies the first rule that fits to every node. */
export function rewrite(graph: Graph, rules: readonly Rule[]): Graph {
  const nodes = reachable(graph);
  const counts = new Map<Node, number>();
  const ends = [...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs];
  for (const { node } of ends) counts.set(node, (counts.get(node) ?? 0) + 1);
  const replaced = new Map<Node, readonly Edge[]>();
  const copies = new Map<Node, Node>();
  const now = (edge: Edge): Edge => {
    return replaced.get(edge.node)?.[edge.index] ?? { node: copies.get(edge.node)!, index: edge.index };
  };
  for (const node of nodes) {
    const inputs = node.inputs.map(now);
    const same = inputs.every(({ node: input }, i) => input === node.inputs[i]!.node);
    copies.set(node, same ? node : { ...node, inputs });
    for (const rule of rules) {
      const made = rule({ node, now, uses: (other) => counts.get(other) ?? 0 });
      if (!made) continue;
      replaced.set(node, [made].flat());
      break;
    }
  }
  return { inputs: graph.inputs, outputs: graph.outputs.map(now) };
}

/** Makes nodes; the binding knows the numbers of types. */
export class Builder {
  readonly #binding: Binding;

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  /** Output 0 of a new operator, float32. */
  node(
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly Edge[],
    shape: readonly number[],
  ): Edge {
    return {
      node: { op, attributes, inputs, outputs: [{ shape, dtype: this.#binding.TF_FLOAT }] },
      index: 0,
    };
  }

  constant(values: Values, shape: readonly number[]): Edge {
    const dtype = values instanceof Float32Array ? this.#binding.TF_FLOAT : this.#binding.TF_INT32;
    const attributes = [this.type('dtype', dtype)];
    const node: Node = {
      op: 'Const',
      attributes,
      inputs: [],
      outputs: [{ shape, dtype }],
      values: () => values,
    };
    return { node, index: 0 };
  }

  type(name: string, value = this.#binding.TF_FLOAT): Attribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value };
  }

  int32(name: string): Attribute {
    return this.type(name, this.#binding.TF_INT32);
  }

  bool(name: string, value: boolean): Attribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value };
  }

  int(name: string, value: number | readonly number[]): Attribute {
    return { name, type: this.#binding.TF_ATTR_INT, value };
  }

  string(name: string, value: string | readonly string[]): Attribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value };
  }

  reshape(x: Edge, shape: readonly number[]): Edge {
    return this.node('Reshape', [this.type('T')], [x, this.#vector(shape)], shape);
  }

  /** Zeros around `[N,H,W,C]`. */
  pad(x: Edge, [top, bottom, left, right]: readonly [number, number, number, number]): Edge {
    if (top + bottom + left + right === 0) return x;
    const [n, h, w, c] = shapeOf(x) as [number, number, number, number];
    const amounts = this.constant(Int32Array.of(0, 0, top, bottom, left, right, 0, 0), [4, 2]);
    return this.node('Pad', [this.type('T')], [x, amounts], [n, h + top + bottom, w + left + right, c]);
  }

  slice(x: Edge, begin: readonly number[], size: readonly number[]): Edge {
    if (shapeOf(x).every((whole, axis) => whole === size[axis])) return x;
    const inputs = [x, this.#vector(begin), this.#vector(size)];
    return this.node('Slice', [this.type('T'), this.int32('Index')], inputs, size);
  }

  concat(parts: readonly Edge[], axis: number): Edge {
    const shape = [...shapeOf(parts[0]!)];
    shape[axis]! *= parts.length;
    const inputs = [...parts, this.constant(Int32Array.of(axis), [])];
    return this.node('ConcatV2', [this.type('T'), this.int('N', parts.length)], inputs, shape);
  }

  /** a b of matrices; a' b with `transposed`. */
  product(a: Edge, b: Edge, transposed = false): Edge {
    const attributes = [
      this.type('T'),
      this.bool('transpose_a', transposed),
      this.bool('transpose_b', false),
    ];
    return this.node('MatMul', attributes, [a, b], [shapeOf(a)[transposed ? 1 : 0]!, shapeOf(b)[1]!]);
  }

  #vector(values: readonly number[]): Edge {
    return this.constant(Int32Array.from(values), [values.length]);
  }
}

/** Shape of a tensor in the graph. */
export function shapeOf({ node, index }: Edge): readonly number[] {
  return node.outputs[index]!.shape;
}

/** The value of an operator's attribute. */
export function attribute(node: Node, name: string): unknown {
  return node.attributes.find((attribute) => attribute.name === name)?.value;
}

/** The values behind an edge, if they are constant. */
export function constantOf({ node }: Edge): Values | undefined {
  return node.op === 'Const' ? node.values!() : undefined;
}
