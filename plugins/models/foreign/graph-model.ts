import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { RobustError, suggestion } from '../../../core/index.ts';
import { invalid, unsupported } from './failure.ts';
import { installGradients } from './gradients.ts';
import type { ForeignModel, Scale } from './model.ts';
import type { Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';
import { survey, type Survey } from './tape.ts';
import type { Tree } from './tree.ts';

/** A node of a graph as TensorFlow writes it in JSON. */
export interface GraphNode extends Tree {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}

/** A graph of TensorFlow's operators with the values of its constants. */
export interface GraphSource {
  readonly topology: Tree;
  readonly specs: tf.io.WeightsManifestEntry[];
  readonly weights: ArrayBuffer;
  /** Its outputs, with the names that people know; those of the graph where nothing is said. */
  readonly outputs?: readonly GraphOutput[];
}

interface GraphOutput {
  readonly name: string;
  /** `node` or `node:output:index`. */
  readonly value: string;
  readonly type: string;
  /** Where it is told; -1 for any number. */
  readonly shape?: readonly number[] | undefined;
}

/** A graph that is ready to run, and what was decided about it. */
export interface Graph {
  readonly model: GraphModel;
  readonly input: GraphModel['inputs'][number];
  readonly outputs: readonly GraphOutput[];
  /** What the scored output needs, in no order. */
  readonly nodes: readonly GraphNode[];
  /** What is computed. */
  readonly scored: string;
  readonly output: ForeignModel['output'];
}

type Options = Pick<ForeignOptions, 'kind'> & { readonly output: string | null };

/**
 * Prepares a graph to be run operator by operator, up to the output that is scored: its softmax or sigmoid is left out,
 * and instead of an argmax what it is given is taken.
 *
 * @throws RobustError CONFIG_INVALID when there is no such output, MODEL_UNSUPPORTED when images are not its only input.
 */
export async function openGraph(source: GraphSource, options: Options, notes: Notes): Promise<Graph> {
  installGradients();
  const all = source.topology['node'] as GraphNode[];
  const outputs = source.outputs ?? (await outputsOf(source, all));
  const { name, value } = chosen(outputs, options.output, notes);
  const head = headOf(all, value, options.kind, notes);
  const needed = ancestors(head.nodes, head.value);
  const model = await load(source, needed);
  const [input] = model.inputs;
  if (!input || model.inputs.length !== 1 || (input.shape && input.shape.length !== 4)) {
    const received = model.inputs.map((port) => `${port.name} [${port.shape?.join(', ') ?? '?'}]`).join(', ');
    model.dispose();
    throw unsupported('The model does not have one input for images.', {
      expected: 'one input [N,H,W,C]',
      received: received || 'none',
    });
  }
  const kind = head.kind === undefined ? (options.kind === 'auto' ? null : options.kind) : head.kind;
  return { model, input, outputs, nodes: needed, scored: head.value, output: { name, kind } };
}

async function load({ topology, specs, weights }: GraphSource, nodes: readonly GraphNode[]) {
  const graph = { ...topology, node: nodes };
  return loadGraphModel(tf.io.fromMemory({ modelTopology: graph, weightSpecs: specs, weightData: weights }));
}

async function outputsOf(source: GraphSource, nodes: readonly GraphNode[]): Promise<readonly GraphOutput[]> {
  const model = await load(source, nodes);
  model.dispose();
  return model.outputs.map(({ name, shape, dtype = 'float32' }) => ({
    name,
    value: name,
    type: dtype,
    shape,
  }));
}

/** An open graph as what every format comes to, and what its first call showed. */
export function graphModel(
  graph: Graph,
  path: string,
  fingerprint: string,
  notes: Notes,
): ForeignModel & { seen(): Survey | undefined } {
  const { model, input, scored, output } = graph;
  const sides = (input.shape ?? [-1, -1, -1, -1]).map((side) => (side > 0 ? side : undefined));
  const [batch, height, width, channels] = sides;
  const execute = (images: Tensor4D, names: string | string[]) =>
    model.execute(
      { [input.name]: images.dtype === input.dtype ? images : tf.cast(images, input.dtype) },
      names,
    );
  let seen: Survey | undefined;
  const look = (images: Tensor4D) => {
    const names = [...graph.nodes.map(({ name }) => name), scored];
    seen = survey(names, (x) => execute(x, names) as Tensor[], images);
    if (seen.withoutGradient.length > 0) notes.push({ text: gradientText(seen.withoutGradient) });
  };
  return {
    ...{ path, fingerprint, input: { batch, height, width, channels }, output },
    /** Known after the first call. */
    get gradient() {
      return seen && seen.withoutGradient.length > 0 ? false : undefined;
    },
    scale: (high) => scaleOf(graph, high),
    compute: (images) => {
      if (!seen) explained(path, () => look(images));
      const made = execute(images, scored) as Tensor;
      return { shape: made.shape, as: (order) => tf.transpose(made, [...order]) };
    },
    dispose: () => model.dispose(),
    seen: () => seen,
  };
}

/** @throws RobustError MODEL_UNSUPPORTED, with all operators that are not computed here */
export function requireOperators(graph: Graph, path: string): void {
  const unknown = graph.nodes.filter((node) => !isComputed(graph, node));
  if (unknown.length === 0) return;
  graph.model.dispose();
  throw unsupported('The model has operators that are not computed here.', {
    where: path,
    received: unknown.map(({ op, name }) => `${op} '${name}'`).join(', '),
    next: 'export the model as ONNX, with tf2onnx',
  });
}

/** Whether TensorFlow.js has an operator, and has it without waiting for values. */
export function isComputed({ model }: Graph, { name }: GraphNode): boolean {
  type Mapped = Readonly<Record<string, { readonly category?: string }>>;
  const { nodes } = (model as unknown as { executor: { graph: { nodes: Mapped } } }).executor.graph;
  const category = nodes[name]?.category;
  return category !== undefined && category !== 'control' && category !== 'dynamic';
}

function gradientText(missing: Survey['withoutGradient']): string {
  const list = missing.map(({ name, operator }) => `${operator} '${name}'`).join(', ');
  return `there is no gradient of ${list}: only attacks that need none work; exported as ONNX, with tf2onnx, the model may have one`;
}

function explained(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw invalid('The graph cannot be computed.', { where: path, received, cause });
  }
}

function chosen(outputs: readonly GraphOutput[], wanted: string | null, notes: Notes): GraphOutput {
  const names = outputs.map(({ name }) => name);
  const found = wanted === null ? outputs[0] : outputs.find(({ name }) => name === wanted);
  if (!found)
    throw new RobustError('CONFIG_INVALID', {
      ...{ message: `The model has no output '${wanted}'.`, where: 'output', received: wanted ?? 'none' },
      next: suggestion(wanted ?? '', names),
    });
  if (wanted === null && names.length > 1)
    notes.push({
      text: `the first of ${names.length} outputs is scored, '${found.name}' (option output; there are: ${names.join(', ')})`,
      ...{ option: 'output', value: found.name },
    });
  return found;
}

/** Operators that pass on what they are given, in this or another form. */
const passing = new Set(['Identity', 'Cast', 'Transpose', 'Squeeze', 'ExpandDims', 'Reshape']);

interface Head {
  readonly nodes: readonly GraphNode[];
  readonly value: string;
  readonly kind?: 'logits' | null;
}

/** What to compute for an output: it without its softmax or sigmoid, or what its argmax is given. */
function headOf(
  nodes: readonly GraphNode[],
  value: string,
  kind: ForeignOptions['kind'],
  notes: Notes,
): Head {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  let last = byName.get(nodeOf(value));
  while (last && passing.has(last.op)) last = byName.get(nodeOf(last.input?.[0] ?? ''));
  if (last?.op === 'ArgMax' && kind !== 'probabilities' && kind !== 'logits') {
    notes.push({ text: `the output is labels: attacks work on what '${last.name}' (ArgMax) is given` });
    return { nodes, value: last.input![0]!, kind: null };
  }
  if (!last || !['Softmax', 'Sigmoid'].includes(last.op) || kind === 'logits' || kind === 'labels')
    return { nodes, value };
  notes.push({
    text: `the output is probabilities: attacks work on the logits that '${last.name}' (${last.op}) is given`,
  });
  const bypassed = { ...last, op: 'Identity' };
  return { nodes: nodes.map((node) => (node === last ? bypassed : node)), value, kind: 'logits' };
}

/** The node that an input or output such as `^name` or `name:output:index` means. */
export function nodeOf(reference: string): string {
  return reference.replace(/^\^/, '').split(':')[0]!;
}

/** What a value needs, without what only says in which order things run; inputs that may be left out are. */
function ancestors(nodes: readonly GraphNode[], value: string): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const found = new Set<GraphNode>();
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = byName.get(nodeOf(next));
    if (!node || found.has(node)) continue;
    found.add(node);
    open.push(...(node.input ?? []).filter((input) => !input.startsWith('^')));
  }
  return [...found].map((node) => ({
    ...node,
    op: node.op === 'PlaceholderWithDefault' ? 'Identity' : node.op,
    ...(node.input && { input: node.input.filter((input) => !input.startsWith('^')) }),
  }));
}

/** The first arithmetic with a constant that images meet tells what the model expects. */
function scaleOf({ model, input, nodes }: Graph, high: number): Scale {
  if (input.dtype !== 'float32') return { value: 1, reason: 'the input takes whole numbers' };
  const unknown = { value: 1 / high, reason: 'the file does not tell: images from 0 to 1 are assumed' };
  let value = input.name;
  for (let step = 0; step < 10; step++) {
    const users = nodes.filter((node) => node.input?.some((each) => nodeOf(each) === value));
    const [node] = users;
    if (!node || users.length > 1) return unknown;
    value = node.name;
    if (passing.has(node.op)) continue;
    const most = { RealDiv: 50, Mul: 0.02, Sub: 2, AddV2: 2, Add: 2 }[node.op];
    const constants = node.input!.flatMap((each) => model.weights[nodeOf(each)] ?? []);
    if (most === undefined || constants.length !== 1) return unknown;
    const numbers = Array.from(constants[0]!.dataSync());
    // Not spread into arguments: a mean image has more values than a call takes.
    const largest = numbers.reduce((top, number) => Math.max(top, Math.abs(number)), 0);
    const own = node.op === 'Mul' ? largest <= most : largest >= most;
    const shown = numbers
      .slice(0, 3)
      .map((number) => Number(number.toPrecision(4)))
      .join(', ');
    const said = `'${node.name}' is ${node.op} by ${shown}`;
    return own
      ? { value: 1, reason: `the model normalises by itself: ${said}` }
      : { value: 1 / high, reason: `the model normalises by itself, from 0 to 1: ${said}` };
  }
  return unknown;
}
