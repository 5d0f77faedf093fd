import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attribute, Binding, Values } from './native.ts';
import { CONFIG_FILE, sessionConfig } from './session.ts';

/** One output of a node. */
export interface Edge {
  readonly node: Node;
  readonly index: number;
}

/** An operator of a recorded step; `Placeholder` and `Const` nodes have no inputs. */
export interface Node {
  readonly op: string;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Edge[];
  /** Shape and TensorFlow dtype of every output. */
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: number }[];
  /** The values of a `Const` node. */
  readonly values?: () => Values;
  /** The tensor that a `Const` node stands for, when it existed before the step. */
  readonly origin?: object;
}

/** A step as a pure function: `inputs` are placeholders. */
export interface Graph {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Edge[];
}

/** A graph in a TensorFlow session. */
export interface Session {
  readonly id: number;
  /** Names as `runSavedModel` takes them. */
  readonly inputs: string;
  readonly outputs: string;
}

/** A GraphDef is one protobuf message, and those end at 2 GiB; the rest is room for everything but constants. */
const MAX_CONSTANT_BYTES = 2 ** 31 - 2 ** 24;

/** Every node that the outputs need, inputs before users. */
export function reachable(graph: Graph): Node[] {
  const order = new Set<Node>();
  const open: Node[] = [...graph.outputs.map(({ node }) => node), ...graph.inputs].reverse();
  const entered = new Set<Node>();
  while (open.length > 0) {
    const node = open.at(-1)!;
    if (order.has(node) || entered.has(node)) {
      order.add(node);
      open.pop();
    } else {
      entered.add(node);
      for (const { node: input } of node.inputs) if (!order.has(input)) open.push(input);
    }
  }
  return [...order];
}

/**
 * Loads a graph into a session of the binding. The binding can only load from a folder; since constants are part of
 * the graph and there are no variables, the folder goes as soon as it is loaded.
 */
export function openSession(graph: Graph, binding: Binding, rewritten = true): Session {
  const folder = mkdtempSync(join(tmpdir(), 'robust-graph-'));
  const nodes = reachable(graph);
  try {
    const { bytes, inputs, outputs } = serialise(graph, nodes, binding);
    writeFileSync(join(folder, 'saved_model.pb'), bytes);
    const config = sessionConfig(graph, binding, rewritten);
    if (config) writeFileSync(join(folder, CONFIG_FILE), config);
    return { id: binding.loadSavedModel(folder, 'serve'), inputs, outputs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends a session and frees what it holds. */
export function closeSession({ id }: Session, binding: Binding): void {
  binding.deleteSavedModel(id);
}

interface Message {
  serializeBinary(): Uint8Array;
}
type Setters = Message & Record<string, (value?: unknown, more?: unknown) => unknown>;

type Messages = Record<string, (new () => Setters) & Record<string, new () => Setters>>;
let loaded: Messages | undefined;

/** The messages of TensorFlow's protocol as compiled into tfjs-node, which has no types for them. */
function messages(): Messages {
  loaded ??= createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Messages;
  return loaded;
}

/** The bytes of saved_model.pb: one signature is not needed, because sessions are run by node names. */
function serialise(graph: Graph, nodes: readonly Node[], binding: Binding) {
  const proto = messages();
  const names = new Map(nodes.map((node, i) => [node, `node_${i}`]));
  const nameOf = ({ node, index }: Edge) => (index > 0 ? `${names.get(node)}:${index}` : names.get(node)!);
  checkSize(nodes);
  const list = nodes.map((node) => nodeDef(names.get(node)!, node, node.inputs.map(nameOf), binding));
  // A fed placeholder cannot be fetched, and one tensor not twice: each output gets a node of its own.
  graph.outputs.forEach((edge, i) => {
    const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: edge.node.outputs[edge.index]!.dtype };
    const node = { op: 'Identity', attributes: [type], inputs: [edge], outputs: [] };
    list.push(nodeDef(`output_${i}`, node, [nameOf(edge)], binding));
  });
  const versions = make(proto['VersionDef']!, { setProducer: GRAPH_VERSION });
  const definition = make(proto['GraphDef']!, { setNodeList: list, setVersions: versions });
  const info = make(proto['MetaGraphDef']!['MetaInfoDef']!, { setTagsList: ['serve'] });
  const meta = make(proto['MetaGraphDef']!, { setMetaInfoDef: info, setGraphDef: definition });
  const model = make(proto['SavedModel']!, { setSavedModelSchemaVersion: 1, setMetaGraphsList: [meta] });
  return {
    bytes: model.serializeBinary(),
    inputs: graph.inputs.map((node) => `${names.get(node)}:0`).join(','),
    outputs: graph.outputs.map((_, i) => `output_${i}:0`).join(','),
  };
}

/** The GraphDef version of TensorFlow 2.16 and later readers; older ones are accepted by all. */
const GRAPH_VERSION = 1882;

function checkSize(nodes: readonly Node[]): void {
  const bytes = nodes.reduce((sum, { op, outputs }) => {
    return op === 'Const' ? sum + 4 * outputs[0]!.shape.reduce((a, b) => a * b, 1) : sum;
  }, 0);
  if (bytes > MAX_CONSTANT_BYTES)
    throw new Error(`its constants take ${bytes} bytes, more than a graph can hold`);
}

function make(Type: new () => Setters, values: Record<string, unknown>): Setters {
  const message = new Type();
  for (const [setter, value] of Object.entries(values)) message[setter]!(value);
  return message;
}

function nodeDef(name: string, node: Node, inputs: string[], binding: Binding): Setters {
  const proto = messages();
  const def = make(proto['NodeDef']!, { setName: name, setOp: node.op, setInputList: inputs });
  const map = def['getAttrMap']!() as Map<string, Setters>;
  for (const attribute of node.attributes) map.set(attribute.name, attrValue(attribute, binding));
  if (node.values) map.set('value', make(proto['AttrValue']!, { setTensor: tensorProto(node) }));
  return def;
}

function tensorProto(node: Node): Setters {
  const { shape, dtype } = node.outputs[0]!;
  const { buffer, byteOffset, byteLength } = node.values!();
  return make(messages()['Tensor']!, {
    setDtype: dtype,
    setTensorShape: shapeProto(shape),
    setTensorContent: new Uint8Array(buffer, byteOffset, byteLength),
  });
}

function shapeProto(shape: readonly number[]): Setters {
  const proto = messages();
  const dims = shape.map((size) => make(proto['TensorShape']!['Dim']!, { setSize: size }));
  return make(proto['TensorShape']!, { setDimList: dims });
}

function attrValue({ name, type, value }: Attribute, binding: Binding): Setters {
  const { AttrValue } = messages();
  if (type === binding.TF_ATTR_SHAPE) return make(AttrValue!, { setShape: shapeProto(value as number[]) });
  const kind = new Map([
    [binding.TF_ATTR_STRING, 'S'],
    [binding.TF_ATTR_INT, 'I'],
    [binding.TF_ATTR_FLOAT, 'F'],
    [binding.TF_ATTR_BOOL, 'B'],
    [binding.TF_ATTR_TYPE, 'Type'],
  ]).get(type);
  if (kind === undefined) throw new Error(`attribute ${name} has the unknown type ${type}`);
  if (Array.isArray(value)) {
    const list = kind === 'S' ? value.map((text) => Buffer.from(String(text))) : value;
    return make(AttrValue!, { setList: make(AttrValue!['ListValue']!, { [`set${kind}List`]: list }) });
  }
  return make(AttrValue!, { [`set${kind}`]: kind === 'S' ? Buffer.from(String(value)) : value });
}
