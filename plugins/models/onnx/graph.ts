import { invalid } from './failure.ts';
import { expandFunctions } from './functions.ts';
import type { ModelFile } from './file.ts';
import type { AttributeProto, GraphProto, NodeProto, ValueInfoProto } from './proto/onnx_pb.ts';
import { Value } from './value.ts';

/** An input or output of a graph. Sizes that differ from call to call are names, or empty. */
export interface Port {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[] | undefined;
}

/** One operator at work. */
export interface Node {
  readonly op: string;
  readonly name: string;
  /** Names of values; empty where an optional one is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
  /** Graphs among the attributes. */
  readonly graphs: ReadonlyMap<string, Graph>;
}

/** A checked graph: its nodes stand in an order in which they can run. */
export interface Graph {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants: ReadonlyMap<string, Value>;
  readonly nodes: readonly Node[];
}

/** A whole model. */
export interface Model {
  readonly graph: Graph;
  /** Version of the standard operators. */
  readonly opset: number;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Checks the graph of a file and orders its nodes.
 *
 * @throws RobustError MODEL_FILE_INVALID when values are missing or made twice, or when nodes need each other.
 */
export function makeModel(file: ModelFile): Model {
  const { model } = file;
  const opset = Number(model.opsetImport.find(({ domain }) => isStandard(domain))?.version ?? 0);
  if (opset < 1)
    throw invalid('The file does not say which version of the operators it uses.', { where: file.path });
  const metadata = new Map(model.metadataProps.map(({ key, value }) => [key, value]));
  return { graph: makeGraph(model.graph!, file, new Set()), opset, metadata };
}

function isStandard(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/** `outer` are the names that a graph inside another one may use. */
function makeGraph(proto: GraphProto, file: ModelFile, outer: ReadonlySet<string>): Graph {
  const [sparse] = proto.sparseInitializer;
  if (sparse)
    throw invalid('Sparse constants are not read.', { where: `tensor '${sparse.values?.name ?? ''}'` });
  const constants = new Map(proto.initializer.map((tensor) => [tensor.name, file.read(tensor)]));
  const inputs = proto.input.map(portOf).filter(({ name }) => !constants.has(name));
  const known = new Set([...outer, ...constants.keys(), ...inputs.map(({ name }) => name)]);
  const raw = expandFunctions(proto.node, file.model.functions);
  const inner = new Set([...known, ...raw.flatMap(({ output }) => output)]);
  const nodes = sorted(
    raw.map((node, index) => makeNode(node, index, (graph) => makeGraph(graph, file, inner))),
    known,
  );
  const outputs = proto.output.map(portOf);
  const lost = outputs.find(({ name }) => !known.has(name));
  if (lost) throw invalid('No node makes this output.', { where: `output '${lost.name}'` });
  return { inputs, outputs, constants, nodes };
}

function portOf({ name, type }: ValueInfoProto): Port {
  const tensor = type?.tensorType;
  const shape = tensor?.shape?.dim.map(({ dimValue, dimParam }) =>
    dimValue > 0n ? Number(dimValue) : dimParam,
  );
  return { name, type: tensor?.elemType ?? 0, shape };
}

function makeNode(proto: NodeProto, index: number, nested: (graph: GraphProto) => Graph): Node {
  const { opType, domain, input, output, attribute } = proto;
  const graphs = attribute.filter(({ g }) => g).map(({ name, g }) => [name, nested(g!)] as const);
  return {
    op: isStandard(domain) ? opType : `${domain}.${opType}`,
    name: proto.name || `${opType} ${index}`,
    inputs: input,
    outputs: output,
    attributes: new Map(attribute.map((each) => [each.name, each])),
    graphs: new Map(graphs),
  };
}

/** Nodes in an order in which each finds its inputs made; `known` gains what they make. */
function sorted(nodes: readonly Node[], known: Set<string>): Node[] {
  checkMakers(nodes, known);
  const done: Node[] = [];
  let rest = nodes;
  while (rest.length > 0) {
    // A file is nearly always in order: then one round is enough.
    const waiting: Node[] = [];
    for (const node of rest) {
      if (!needs(node).every((name) => known.has(name))) waiting.push(node);
      else {
        done.push(node);
        for (const name of node.outputs) known.add(name);
      }
    }
    if (waiting.length === rest.length) throw stuck(waiting, known);
    rest = waiting;
  }
  return done;
}

/** Values that a node needs, those that its inner graphs take from around them included. */
export function needs({ inputs, graphs }: Node): string[] {
  return [...inputs.filter((name) => name !== ''), ...[...graphs.values()].flatMap(needsOutside)];
}

function needsOutside({ inputs, constants, nodes, outputs }: Graph): string[] {
  const own = new Set([
    ...inputs.map(({ name }) => name),
    ...constants.keys(),
    ...nodes.flatMap((node) => node.outputs),
  ]);
  return [...nodes.flatMap(needs), ...outputs.map(({ name }) => name)].filter((name) => !own.has(name));
}

function checkMakers(nodes: readonly Node[], known: ReadonlySet<string>): void {
  const made = new Set(known);
  for (const { name, outputs } of nodes) {
    for (const output of outputs.filter((each) => each !== '')) {
      if (made.has(output))
        throw invalid('A value is made twice.', { where: `node '${name}', value '${output}'` });
      made.add(output);
    }
  }
}

function stuck(waiting: readonly Node[], known: ReadonlySet<string>): Error {
  const makers = new Set(waiting.flatMap(({ outputs }) => outputs));
  for (const node of waiting) {
    const missing = needs(node).find((name) => !known.has(name) && !makers.has(name));
    if (missing !== undefined) {
      return invalid('A node needs a value that nothing makes.', {
        where: `node '${node.name}' (${node.op})`,
        received: `value '${missing}'`,
      });
    }
  }
  const names = waiting.slice(0, 5).map(({ name }) => name);
  return invalid('The graph runs in a circle: these nodes need what they make.', { where: names.join(', ') });
}
