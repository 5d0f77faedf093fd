import type { Tensor } from '@tensorflow/tfjs-core';
import type { Step } from '../../../core/index.ts';
import type { Edge, Graph, Node } from './graph.ts';
import type { Attribute, NativeBackend, Values } from './native.ts';

/** What one run of a step did. */
export interface Recording {
  readonly outputs: Tensor[];
  /** All operators and constants in the order of their first use, for comparing two runs. */
  readonly nodes: readonly Node[];
  readonly graph: Graph;
  /** Why the recording does not stand for the step; absent when it does. */
  readonly refusal?: string;
}

/** In the place of a tensor's number: the binding numbers from 0, and tfjs-node frees nothing below. */
const NO_VALUES = -1;

/** Operators whose result is not a function of their inputs. */
const RANDOM = /^(Multinomial|Random|Stateless|Truncated|Parameterized)/;

/**
 * Runs a step and records the raw TensorFlow operators that it executes. A tensor comes into being in one of three
 * ways: an operator makes it, JavaScript writes it (`move`: a constant), or the binding makes it without an operator,
 * which no recording can hold. Reading a tensor that depends on an input makes the step depend on data.
 *
 * @param earlier Another recording of the step. Operators that are the same as there are not executed: tensors without
 * values stand for their results, the outputs among them.
 */
export function record(
  backend: NativeBackend,
  step: Step,
  inputs: readonly Tensor[],
  earlier?: Recording,
): Recording {
  const recorder = new Recorder(backend, inputs, earlier?.nodes ?? []);
  const outputs = recorder.watch(() => step(...inputs));
  const edges = outputs.map((tensor) => recorder.edge(tensor));
  const { nodes, refusal } = recorder;
  const graph = { inputs: recorder.placeholders, outputs: edges };
  return { outputs, nodes, graph, ...(refusal === undefined ? {} : { refusal }) };
}

class Recorder {
  readonly nodes: Node[] = [];
  readonly placeholders: Node[];
  refusal: string | undefined;
  readonly #backend: NativeBackend;
  readonly #earlier: readonly Node[];
  readonly #edges = new Map<object, Edge>();
  readonly #written = new Map<object, Values>();
  readonly #foreign = new Set<object>();

  constructor(backend: NativeBackend, inputs: readonly Tensor[], earlier: readonly Node[]) {
    this.#backend = backend;
    this.#earlier = earlier;
    this.placeholders = inputs.map((tensor) => this.#placeholder(tensor));
  }

  /** Runs `body` with the backend's methods replaced on the instance, and takes them away again. */
  watch<T>(body: () => T): T {
    const backend = this.#backend;
    const { executeSingleOutput: single, executeMultipleOutputs: multiple } = backend;
    const { createOutputTensor, move, readSync, read } = backend;
    const watched: Partial<NativeBackend> = {
      executeSingleOutput: (op, attributes, ins) =>
        this.#note(op, attributes, ins, () => [single.call(backend, op, attributes, ins)])[0]!,
      executeMultipleOutputs: (op, attributes, ins, n) =>
        this.#note(op, attributes, ins, () => multiple.call(backend, op, attributes, ins, n)),
      createOutputTensor: (metadata) => {
        const tensor = createOutputTensor.call(backend, metadata);
        this.#foreign.add(tensor.dataId);
        return tensor;
      },
      move: (dataId, values, ...rest) => {
        this.#written.set(dataId, values as Values);
        move.call(backend, dataId, values, ...rest);
      },
      readSync: (dataId) => (this.#read(dataId), readSync.call(backend, dataId)),
      read: (dataId) => (this.#read(dataId), read.call(backend, dataId)),
    };
    Object.assign(backend, watched);
    try {
      return body();
    } finally {
      for (const name of Object.keys(watched)) Reflect.deleteProperty(backend, name);
    }
  }

  /** The place in the graph of a tensor; one that no operator made is a constant. */
  edge(tensor: Pick<Tensor, 'dataId'>): Edge {
    const { dataId } = tensor;
    const known = this.#edges.get(dataId);
    if (known) return known;
    if (this.#foreign.has(dataId)) this.#refuse('it uses a tensor that no operator made');
    const edge = { node: this.#constant(dataId), index: 0 };
    this.#edges.set(dataId, edge);
    this.nodes.push(edge.node);
    return edge;
  }

  #note(op: string, attributes: Attribute[], ins: Tensor[], run: () => Tensor[]): Tensor[] {
    if (RANDOM.test(op)) this.#refuse(`it draws random numbers (${op})`);
    if (ins.some(({ dataId }) => !dataId)) {
      this.#refuse(`${op} takes an input that is not a tensor`);
      return run();
    }
    const inputs = ins.map((tensor) => this.edge(tensor));
    const outs = this.#standIns(op, inputs) ?? run();
    if (this.#folds(op, inputs, outs)) return this.#asConstants(outs);
    const outputs = outs.map(({ dataId }) => this.#type(dataId));
    const node: Node = { op, attributes, inputs, outputs };
    this.nodes.push(node);
    outs.forEach(({ dataId }, index) => {
      this.#foreign.delete(dataId);
      this.#edges.set(dataId, { node, index });
    });
    return outs;
  }

  /** Tensors without values in the place of what an earlier recording saw computed; constants are computed again. */
  #standIns(op: string, inputs: readonly Edge[]): Tensor[] | undefined {
    const known = this.#earlier[this.nodes.length];
    if (known?.op !== op || inputs.every(({ node }) => node.op === 'Const')) return undefined;
    return known.outputs.map(({ shape, dtype }) =>
      this.#backend.createOutputTensor({ id: NO_VALUES, shape: [...shape], dtype }),
    );
  }

  /**
   * An operator of constants alone is a constant, as TensorFlow's optimizer would find, but the rewriting of the graph
   * needs it earlier. What makes much of little (fill, tile) stays an operator.
   */
  #folds(op: string, inputs: readonly Edge[], outs: readonly Tensor[]): boolean {
    if (inputs.length === 0 || RANDOM.test(op) || inputs.some(({ node }) => node.op !== 'Const'))
      return false;
    const given = inputs.map(({ node }) => count(node.outputs[0]!.shape));
    return outs.every(({ size }) => size <= 4 * Math.max(256, ...given));
  }

  #asConstants(outs: Tensor[]): Tensor[] {
    for (const { dataId } of outs) {
      this.#foreign.delete(dataId);
      this.#written.set(dataId, this.#backend.readSync(dataId));
    }
    for (const tensor of outs) this.edge(tensor);
    return outs;
  }

  #placeholder({ dataId }: Tensor): Node {
    if (this.#edges.has(dataId)) this.#refuse('two of its inputs are the same variable');
    const { dtype, shape } = this.#type(dataId);
    const { TF_ATTR_TYPE, TF_ATTR_SHAPE } = this.#backend.binding;
    const attributes = [
      { name: 'dtype', type: TF_ATTR_TYPE, value: dtype },
      { name: 'shape', type: TF_ATTR_SHAPE, value: shape },
    ];
    const node: Node = { op: 'Placeholder', attributes, inputs: [], outputs: [{ dtype, shape }] };
    this.#edges.set(dataId, { node, index: 0 });
    return node;
  }

  #constant(dataId: object): Node {
    const type = this.#type(dataId);
    const { TF_ATTR_TYPE, TF_FLOAT, TF_INT32, TF_BOOL } = this.#backend.binding;
    if (![TF_FLOAT, TF_INT32, TF_BOOL].includes(type.dtype)) {
      this.#refuse('it uses a constant that is neither float32, int32 nor bool');
    }
    const attributes = [{ name: 'dtype', type: TF_ATTR_TYPE, value: type.dtype }];
    const own = this.#written.get(dataId);
    // What the step itself wrote is gone after the step; what was there before stays and is read once, when needed.
    const copy =
      own &&
      pack(own, type.dtype === TF_FLOAT ? Float32Array : type.dtype === TF_INT32 ? Int32Array : Uint8Array);
    const values = copy ? () => copy : () => this.#backend.readSync(dataId);
    return {
      op: 'Const',
      attributes,
      inputs: [],
      outputs: [type],
      values,
      ...(copy ? {} : { origin: dataId }),
    };
  }

  #type(dataId: object) {
    const { dtype, shape } = this.#backend.tensorMap.get(dataId);
    return { dtype, shape: [...shape] };
  }

  #read(dataId: object): void {
    if (this.#edges.get(dataId)?.node.op === 'Const') return;
    if (this.#edges.has(dataId) || this.#foreign.has(dataId)) this.#refuse('it reads the values of a tensor');
  }

  #refuse(reason: string): void {
    this.refusal ??= reason;
  }
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A copy of its own: the step may go on writing into the array that it made a tensor from. */
function pack(values: ArrayLike<number>, Type: new (values: ArrayLike<number>) => Values): Values {
  return new Type(values);
}

export const OTHER_OPERATORS = 'it executes other operators each time';

/** Why a second run of a step was not the first one again; undefined when both did the same. */
export function difference(first: Recording, second: Recording): string | undefined {
  const refusal = first.refusal ?? second.refusal;
  if (refusal !== undefined) return refusal;
  if (first.nodes.length !== second.nodes.length) return OTHER_OPERATORS;
  const twin = new Map(first.graph.inputs.map((node, i) => [node, second.graph.inputs[i]]));
  const same = (a: Edge, b: Edge) => a.index === b.index && twin.get(a.node) === b.node;
  for (const [i, node] of first.nodes.entries()) {
    const other = second.nodes[i]!;
    twin.set(node, other);
    if (node.op === 'Const' && other.op === 'Const') {
      if (!sameConstant(node, other))
        return 'it uses values that change from call to call, such as random numbers';
      continue;
    }
    const equal =
      node.op === other.op && JSON.stringify(node.attributes) === JSON.stringify(other.attributes);
    const wired =
      node.inputs.length === other.inputs.length && node.inputs.every((e, j) => same(e, other.inputs[j]!));
    if (!equal || !wired) return OTHER_OPERATORS;
  }
  const ends = first.graph.outputs.every((edge, i) => same(edge, second.graph.outputs[i]!));
  return ends ? undefined : 'it returns another tensor each time';
}

function sameConstant(a: Node, b: Node): boolean {
  if (a.origin !== b.origin) return false;
  if (a.origin) return true;
  const [x, y] = [a.values!(), b.values!()];
  return x.length === y.length && x.every((value, i) => Object.is(value, y[i]));
}
