import { join } from 'node:path';
import { toJson } from '@bufbuild/protobuf';
import type { GraphSource } from '../foreign/graph-model.ts';
import { invalid, unsupported } from '../foreign/failure.ts';
import { readBundle } from './bundle.ts';
import { Flattener, type FlatNode } from './flatten.ts';
import { constantOf, shapeOf, typeName, weightsOf, type Numbers } from './numbers.ts';
import { AttrValueSchema, type MetaGraphDef, type TensorInfo } from './proto/saved_model_pb.ts';

/**
 * The graph of some outputs as TensorFlow.js runs it: calls of functions replaced by what they compute, variables by
 * their values.
 *
 * @param outputs with the names that people know
 * @throws RobustError MODEL_FILE_INVALID, MODEL_UNSUPPORTED
 */
export function frozen(
  meta: MetaGraphDef,
  folder: string,
  outputs: readonly (readonly [name: string, tensor: TensorInfo])[],
): GraphSource {
  const flat = new Flattener(meta.graphDef!);
  const resolved = outputs.map(([name, { name: value, dtype, tensorShape }]) => ({
    ...{ name, value: flat.resolve(value), type: typeName(dtype) },
    shape: tensorShape?.unknownRank ? undefined : shapeOf(tensorShape),
  }));
  const constants = new Map<string, Numbers>();
  const variables = needsVariables(flat) ? variablesOf(meta, folder) : new Map<string, () => Numbers>();
  const fixed = (node: FlatNode): Numbers | undefined => {
    const { value } = node.attr['value'] ?? {};
    if (node.op === 'Const' && value?.case === 'tensor') return constantOf(value.value, node.name);
    const variable = node.op === 'ReadVariableOp' ? origin(flat.nodes, node.inputs[0]!).name : node.name;
    return reading.has(node.op) ? valueOf(variable, variables) : undefined;
  };
  const nodes = needed(
    flat.nodes,
    resolved.map(({ value }) => value),
    ({ op }) => op !== 'ReadVariableOp',
  ).map((node) => {
    const numbers = fixed(node);
    if (numbers) constants.set(node.name, numbers);
    const attr = Object.entries(node.attr).filter(([key]) => !numbers || key === 'dtype');
    return {
      name: node.name,
      ...(numbers ? { op: 'Const' } : { op: node.op, input: node.inputs }),
      attr: {
        ...defaultsOf(node.op),
        ...Object.fromEntries(attr.map(([key, value]) => [key, toJson(AttrValueSchema, value)])),
      },
    };
  });
  return { topology: { node: nodes, versions: {} }, ...weightsOf(constants), outputs: resolved };
}

/** Attributes that files leave out because TensorFlow has a default, and TensorFlow.js another one or none. */
function defaultsOf(op: string): Readonly<Record<string, unknown>> {
  if (/Conv2[dD]/.test(op)) return { dilations: { list: { i: [1, 1, 1, 1] } } };
  if (op === 'DepthToSpace') return { data_format: { s: Buffer.from('NHWC').toString('base64') } };
  return op.startsWith('FusedBatchNorm') ? { epsilon: { f: 0.0001 } } : {};
}

/** Operators whose result is the value of a variable. */
const reading = new Set(['ReadVariableOp', 'VariableV2', 'Variable']);

function needsVariables({ nodes }: Flattener): boolean {
  return [...nodes.values()].some(({ op }) => reading.has(op));
}

function valueOf(name: string, variables: ReadonlyMap<string, () => Numbers>): Numbers {
  const value = variables.get(name);
  if (value) return value();
  throw invalid('The model has a variable without a value.', {
    where: name,
    expected: 'a value in the folder variables',
    next: 'export the model again after its variables have values',
  });
}

/** What an output is, seen through operators that only pass it on. */
function origin(nodes: ReadonlyMap<string, FlatNode>, output: string): { name: string; index: number } {
  const [name, ...rest] = output.split(':') as [string, ...string[]];
  const node = nodes.get(name);
  if (node?.op === 'Identity' && node.inputs[0] !== undefined) return origin(nodes, node.inputs[0]);
  return { name, index: Number(rest.at(-1) ?? 0) };
}

/** Values of variables, by the nodes that stand for them: the part of the graph that restores them tells which is which. */
function variablesOf(meta: MetaGraphDef, folder: string): ReadonlyMap<string, () => Numbers> {
  const saved = readBundle(join(folder, 'variables', 'variables'));
  const flat = new Flattener(meta.graphDef!);
  flat.expand((meta.saverDef?.restoreOpName ?? '').split(':')[0]!);
  flat.expand('');
  const found = new Map<string, () => Numbers>();
  const assigned = [...flat.nodes.values()].filter(({ op }) => op === 'AssignVariableOp' || op === 'Assign');
  for (const { inputs } of assigned) {
    const source = origin(flat.nodes, inputs[1]!);
    const restore = flat.nodes.get(source.name);
    if (restore?.op !== 'RestoreV2') continue;
    const names = strings(flat.nodes.get(origin(flat.nodes, restore.inputs[1]!).name));
    const parts = strings(flat.nodes.get(origin(flat.nodes, restore.inputs[2]!).name));
    if (parts[source.index])
      throw unsupported('A variable is saved in parts.', { where: names[source.index]! });
    const value = saved.get(names[source.index] ?? '');
    if (value) found.set(origin(flat.nodes, inputs[0]!).name, value);
  }
  // Keras 3 may save copies of its variables, which begin as the variables themselves.
  for (const { inputs } of assigned) {
    const source = flat.nodes.get(origin(flat.nodes, inputs[1]!).name);
    const copy = found.get(origin(flat.nodes, inputs[0]!).name);
    if (copy && source?.op === 'ReadVariableOp') found.set(origin(flat.nodes, source.inputs[0]!).name, copy);
  }
  return found;
}

function strings(node: FlatNode | undefined): string[] {
  const { value } = node?.attr['value'] ?? {};
  const list = value?.case === 'tensor' ? value.value.stringVal : [];
  return list.map((bytes) => new TextDecoder().decode(bytes));
}

/** What outputs need; `follow` says of which nodes the inputs are needed. */
function needed(
  nodes: ReadonlyMap<string, FlatNode>,
  outputs: readonly string[],
  follow: (node: FlatNode) => boolean,
): FlatNode[] {
  const found = new Set<FlatNode>();
  const open = [...outputs];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = nodes.get(next.split(':')[0]!);
    if (!node || found.has(node)) continue;
    found.add(node);
    if (follow(node)) open.push(...node.inputs);
  }
  return [...found];
}
