import { RobustError } from '../../../core/index.ts';
import { Call } from './call.ts';
import { invalid, unsupported } from './failure.ts';
import { fold } from './folding.ts';
import { needs, type Graph, type Model, type Node } from './graph.ts';
import { operators } from './ops/index.ts';
import { FIXED, type Level, type Value } from './value.ts';

type Scope = Map<string, Value>;

/** Sees an operator that ran, with what it was given and made. */
export type Watch = (node: Node, inputs: readonly (Value | undefined)[], outputs: readonly Value[]) => void;

/** A graph that runs: what is the same for all images is computed once. */
export class Program {
  readonly nodes: readonly Node[];
  readonly #opset: number;
  readonly #outputs: readonly string[];
  readonly #shapeLevel: Level;
  /** Constants of the file, and what was made of them alone. */
  readonly #fixed: Scope;

  /**
   * @param outputs the values to compute; what they do not need is left out
   * @param shapeLevel what sizes depend on
   * @throws RobustError MODEL_UNSUPPORTED with all operators that are not computed.
   */
  constructor({ graph, opset }: Model, outputs: readonly string[], shapeLevel: Level) {
    this.nodes = needed(graph, outputs);
    this.#opset = opset;
    this.#outputs = outputs;
    this.#shapeLevel = shapeLevel;
    this.#fixed = new Map(graph.constants);
    checkOperators(this.nodes);
  }

  /** Outputs for inputs by name. The caller tidies; values that are kept stay until `dispose`. */
  run(inputs: ReadonlyMap<string, Value>, watch?: Watch): Value[] {
    const scope: Scope = new Map(inputs);
    this.#runNodes(this.nodes, scope, (name) => this.#fixed.get(name), watch);
    return this.#outputs.map((name) => scope.get(name) ?? this.#fixed.get(name)!);
  }

  dispose(): void {
    for (const value of this.#fixed.values()) value.dispose();
    this.#fixed.clear();
  }

  #runNodes(
    nodes: readonly Node[],
    scope: Scope,
    outer: (name: string) => Value | undefined,
    watch?: Watch,
  ): void {
    const find = (name: string) => scope.get(name) ?? outer(name);
    for (const node of nodes) {
      if (node.outputs.every((name) => name === '' || this.#fixed.has(name))) continue;
      const inputs = node.inputs.map((name) => {
        const value = name === '' ? undefined : find(name);
        if (name !== '' && !value)
          throw invalid('A value was not made.', { where: `node '${node.name}'`, received: name });
        return value;
      });
      const call = new Call(node, this.#opset, inputs, this.#shapeLevel, (graph) =>
        this.#runGraph(graph, find, watch),
      );
      const made = [this.#compute(call)].flat();
      watch?.(node, inputs, made);
      node.outputs.forEach((name, index) => {
        if (name !== '' && made[index]) this.#store(name, made[index], scope);
      });
    }
  }

  #runGraph(graph: Graph, outer: (name: string) => Value | undefined, watch?: Watch): Value[] {
    const scope: Scope = new Map(graph.constants);
    this.#runNodes(graph.nodes, scope, outer, watch);
    return graph.outputs.map(({ name }) => scope.get(name) ?? this.#fixed.get(name) ?? outer(name)!);
  }

  #store(name: string, value: Value, scope: Scope): void {
    if (value.level !== FIXED) return void scope.set(name, value);
    value.keep();
    this.#fixed.set(name, value);
  }

  #compute(call: Call): Value | readonly Value[] {
    try {
      return fold(call) ?? operators[call.node.op]!(call);
    } catch (cause) {
      if (cause instanceof RobustError) throw cause;
      const shapes = call.inputs.map((value) => (value ? `[${value.shape.join(', ')}]` : 'none'));
      throw invalid('An operator cannot work on what it is given.', {
        where: call.where,
        received: `inputs ${shapes.join(', ')}: ${cause instanceof Error ? cause.message : String(cause)}`,
        next: 'check the size and the channels of the images against the model',
        cause,
      });
    }
  }
}

/** Nodes that the outputs need, in the order of the graph. */
function needed({ nodes }: Graph, outputs: readonly string[]): Node[] {
  const wanted = new Set(outputs);
  const chosen = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of needs(node)) wanted.add(name);
    return true;
  });
  return chosen.reverse();
}

/** All nodes, those of inner graphs included. */
export function allNodes(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [
    node,
    ...[...node.graphs.values()].flatMap((graph) => allNodes(graph.nodes)),
  ]);
}

export function isComputed(op: string): boolean {
  return Object.hasOwn(operators, op);
}

function checkOperators(nodes: readonly Node[]): void {
  const unknown = allNodes(nodes).filter(({ op }) => !isComputed(op));
  if (unknown.length === 0) return;
  const ops = [...new Set(unknown.map(({ op }) => op))];
  const lines = ops.map((op) => {
    const names = unknown.filter((node) => node.op === op).map(({ name }) => name);
    return `${op} (${names.slice(0, 3).join(', ')}${names.length > 3 ? `, and ${names.length - 3} more` : ''})`;
  });
  throw unsupported(`The model uses operators that are not computed here: ${ops.join(', ')}.`, {
    received: lines.join('; '),
    next: 'export with other layers, or as another opset',
  });
}
