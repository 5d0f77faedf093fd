import { invalid, unsupported } from '../foreign/failure.ts';
import type { FunctionDef, GraphDef, NodeDef } from './proto/saved_model_pb.ts';

/** A node of the one graph that calls of functions were replaced in; inputs are `name` or `name:output:index`. */
export interface FlatNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attr: NodeDef['attr'];
}

/** Names in one graph or function, and what the arguments of the function are. */
interface Scope {
  /** The calls that led here. */
  readonly prefix: string;
  readonly nodes: ReadonlyMap<string, NodeDef>;
  readonly args: ReadonlyMap<string, string>;
}

const calls = new Set(['PartitionedCall', 'StatefulPartitionedCall']);
/** Functions that call each other deeper than this never end. */
const DEEPEST = 100;

/** Finds what nodes of a graph need, with every call of a function replaced by the nodes of the function. */
export class Flattener {
  readonly nodes = new Map<string, FlatNode>();
  readonly #functions: ReadonlyMap<string, FunctionDef>;
  readonly #main: Scope;
  readonly #pending: (() => void)[] = [];
  /** Names of nodes by the calls that lead to them, and names that are taken. */
  readonly #flat = new Map<string, string>();
  readonly #taken: Set<string>;
  readonly #scopes = new Map<string, { readonly scope: Scope; readonly called: FunctionDef }>();

  constructor(graph: GraphDef) {
    this.#functions = new Map(
      (graph.library?.function ?? []).map((each) => [each.signature?.name ?? '', each]),
    );
    this.#main = { prefix: '', nodes: named(graph.node), args: new Map() };
    this.#taken = new Set(this.#main.nodes.keys());
  }

  /** The flat name of an output such as `StatefulPartitionedCall:1`; what it needs is in {@link nodes} then. */
  resolve(output: string): string {
    const flat = this.#resolve(output, this.#main, 0);
    this.#finish();
    return flat;
  }

  /** All nodes of the graph itself, or where a node of it calls a function those of that function, with what they need. */
  expand(call: string): FlatNode[] {
    const node = this.#main.nodes.get(call);
    const scope = node && this.#isCall(node) ? this.#enter(call, this.#main, 0).scope : this.#main;
    for (const each of scope.nodes.values()) if (!this.#isCall(each)) this.#emit(each, scope, 0);
    this.#finish();
    return [...this.nodes.values()];
  }

  /** Inputs of nodes one after the other: graphs are deeper than a stack. */
  #finish(): void {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) next();
  }

  #resolve(reference: string, scope: Scope, depth: number): string {
    const [name, ...rest] = reference.split(':') as [string, ...string[]];
    const argument = scope.args.get(name);
    if (argument !== undefined) return argument;
    const node = scope.nodes.get(name);
    if (!node)
      throw invalid('The graph names a node that it does not have.', {
        where: scope.prefix || 'graph',
        received: name,
      });
    if (!this.#isCall(node)) {
      this.#emit(node, scope, depth);
      return [this.#nameOf(name, scope), ...rest].join(':');
    }
    const { scope: inner, called } = this.#enter(name, scope, depth);
    const result = called.signature?.outputArg[Number(rest.at(-1) ?? 0)]?.name ?? '';
    const value = called.ret[result];
    if (value === undefined)
      throw invalid('A function does not have the output that is asked for.', {
        where: scope.prefix + name,
        received: reference,
      });
    return this.#resolve(value, inner, depth + 1);
  }

  #isCall({ op }: NodeDef): boolean {
    return calls.has(op) || this.#functions.has(op);
  }

  /** The body of a called function, with its arguments. */
  #enter(name: string, scope: Scope, depth: number) {
    const path = `${scope.prefix}${name}/`;
    const known = this.#scopes.get(path);
    if (known) return known;
    if (depth > DEEPEST)
      throw unsupported('The functions of the model call each other endlessly.', {
        where: path.slice(0, 200),
      });
    const node = scope.nodes.get(name)!;
    const { value } =
      node.attr['f']?.value.case === 'func' ? node.attr['f'] : { value: { value: { name: node.op } } };
    const called = this.#functions.get((value.value as { name: string }).name);
    if (!called) throw invalid('The graph calls a function that it does not have.', { where: path });
    const given = dataInputs(node).map((input) => this.#resolve(input, scope, depth));
    const args = new Map(
      (called.signature?.inputArg ?? []).map((arg, index) => [arg.name, given[index] ?? '']),
    );
    const made = { scope: { prefix: path, nodes: named(called.nodeDef), args }, called };
    this.#scopes.set(path, made);
    return made;
  }

  /** The name inside the function where it is free: people know it. */
  #nameOf(name: string, { prefix }: Scope): string {
    if (prefix === '') return name;
    const path = prefix + name;
    const flat = this.#flat.get(path) ?? (this.#taken.has(name) ? path : name);
    this.#flat.set(path, flat);
    this.#taken.add(flat);
    return flat;
  }

  #emit(node: NodeDef, scope: Scope, depth: number): void {
    const name = this.#nameOf(node.name, scope);
    if (this.nodes.has(name)) return;
    const inputs: string[] = [];
    this.nodes.set(name, { name, op: node.op, inputs, attr: node.attr });
    this.#pending.push(() =>
      inputs.push(...dataInputs(node).map((input) => this.#resolve(input, scope, depth))),
    );
  }
}

/** Inputs without those that only say what runs before. */
function dataInputs({ input }: NodeDef): string[] {
  return input.filter((each) => !each.startsWith('^'));
}

function named(nodes: readonly NodeDef[]): Map<string, NodeDef> {
  return new Map(nodes.map((node) => [node.name, node]));
}
