import { RobustError, suggestion } from '../../../core/index.ts';
import type { Kind, Scale, Sides } from '../foreign/model.ts';
import type { Notes } from '../foreign/notes.ts';
import { unsupported } from './failure.ts';
import type { Graph, Model, Node, Port } from './graph.ts';
import { isFloat, types } from './types.ts';

/** Where images go in. */
export interface ImageInput {
  readonly port: Port;
  readonly layout: 'nchw' | 'nhwc';
  readonly sides: Sides;
}

/** What is scored: the program computes `value`, which is `kind`. */
export interface ScoredOutput {
  readonly name: string;
  readonly graph: Graph;
  /** The value to compute: the output, or what a final softmax, sigmoid or argmax is given. */
  readonly value: string;
  /** What the values are: null where only they themselves can tell. */
  readonly kind: Kind | null;
}

/** The input for images: the only one, or the only one of rank 4. */
export function imageInput({ graph }: Model, layout: 'auto' | 'nchw' | 'nhwc', notes: Notes): ImageInput {
  const candidates = graph.inputs.filter(({ shape }) => shape === undefined || shape.length === 4);
  const [port] = candidates;
  if (!port || graph.inputs.length !== 1) {
    throw unsupported('The model does not have one input for images.', {
      expected: 'one input of four axes',
      received:
        graph.inputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? '?'}]`).join(', ') || 'none',
      next: 'export the model with its images as the only input',
    });
  }
  const sides = port.shape ?? ['', '', '', ''];
  const chosen = layout === 'auto' ? guessLayout(sides, notes) : layout;
  const [batch, ...rest] = sides.map((side) => (typeof side === 'number' ? side : undefined));
  const [height, width, channels] = chosen === 'nhwc' ? rest : [rest[1], rest[2], rest[0]];
  return { port, layout: chosen, sides: { batch, height, width, channels } };
}

function guessLayout(sides: readonly (number | string)[], notes: Notes): 'nchw' | 'nhwc' {
  const few = (side: number | string | undefined) => typeof side === 'number' && side <= 4;
  if (few(sides[3]) && !few(sides[1])) {
    const text = `images are given channels-last: the last axis of the input [${sides.join(', ')}] has few elements`;
    notes.push({ text, option: 'layout', value: 'nhwc' });
    return 'nhwc';
  }
  if (!few(sides[1])) {
    const text =
      'images are given channels-first, the convention of ONNX: the file does not tell (option layout)';
    notes.push({ text, option: 'layout', value: 'nchw' });
  }
  return 'nchw';
}

/** Operators that pass on what they are given, in this or another form. */
const passing = new Set(['Identity', 'Cast', 'Transpose', 'Squeeze', 'Unsqueeze', 'Reshape']);

/**
 * The output to score and what it means. A softmax or sigmoid at the end is left out, because attacks and scores work on
 * logits, which lose nothing where probabilities round to 0 and 1; and an argmax, because it has no gradient.
 */
export function scoredOutput(
  { graph }: Model,
  wanted: string | null,
  kind: Kind | 'auto',
  notes: Notes,
): ScoredOutput {
  const names = graph.outputs.map(({ name }) => name);
  const name = wanted ?? names[0]!;
  if (!names.includes(name)) {
    throw new RobustError('CONFIG_INVALID', {
      message: `The model has no output '${name}'.`,
      where: 'output',
      received: name,
      next: suggestion(name, names),
    });
  }
  if (wanted === null && names.length > 1) {
    const text = `the first of ${names.length} outputs is scored, '${name}' (option output; there are: ${names.join(', ')})`;
    notes.push({ text, option: 'output', value: name });
  }
  const last = lastOperator(graph, name);
  const plain = { name, graph, value: name };
  if (last?.op === 'ArgMax' && kind !== 'probabilities' && kind !== 'logits') {
    notes.push({ text: `the output is labels: attacks work on what '${last.name}' (ArgMax) is given` });
    return { name, graph, value: last.inputs[0]!, kind: null };
  }
  const isHead = last?.op === 'Softmax' || last?.op === 'Sigmoid';
  if (!isHead || kind === 'logits' || kind === 'labels')
    return { ...plain, kind: kind === 'auto' ? null : kind };
  notes.push({
    text: `the output is probabilities: attacks work on the logits that '${last.name}' (${last.op}) is given`,
  });
  const bypassed: Node = { ...last, op: 'Identity', inputs: last.inputs.slice(0, 1) };
  return {
    ...plain,
    graph: { ...graph, nodes: graph.nodes.map((node) => (node === last ? bypassed : node)) },
    kind: 'logits',
  };
}

/** The operator that makes a value, seen through those that only pass it on. */
function lastOperator({ nodes }: Graph, value: string): Node | undefined {
  const node = nodes.find(({ outputs }) => outputs.includes(value));
  return node && passing.has(node.op) ? lastOperator({ nodes } as Graph, node.inputs[0] ?? '') : node;
}

/** What intensities are multiplied by, when nobody says: a guess with its reason. */
export function guessScale({ graph }: Model, { port }: ImageInput, high: number): Scale {
  if (!isFloat(port.type) && port.type !== types.BOOL)
    return { value: 1, reason: 'the input takes whole numbers' };
  const first = firstConstant(graph, port.name);
  if (first?.own) return { value: 1, reason: `the model normalises by itself: ${first.text}` };
  if (first) return { value: 1 / high, reason: `the model normalises by itself, from 0 to 1: ${first.text}` };
  return { value: 1 / high, reason: 'the file does not tell: images from 0 to 1 are assumed' };
}

/** The first arithmetic with a constant that the image meets, and whether that makes sense for 0 to 255 (`own`) or for 0 to 1. */
function firstConstant(graph: Graph, from: string): { own: boolean; text: string } | undefined {
  let value = from;
  for (const node of graph.nodes) {
    if (!node.inputs.includes(value)) continue;
    if (passing.has(node.op)) {
      value = node.outputs[0] ?? '';
      continue;
    }
    const constant = node.inputs.flatMap((name) =>
      [constantOf(graph, name)].filter((found) => found !== undefined),
    )[0];
    if (!constant || !['Div', 'Mul', 'Sub', 'Add'].includes(node.op)) return undefined;
    const largest = Math.max(...Array.from(constant, Math.abs));
    const own = { Div: largest >= 50, Mul: largest <= 0.02, Sub: largest > 2, Add: largest > 2 }[node.op]!;
    return {
      own,
      text: `'${node.name}' is ${node.op} by ${Array.from(constant)
        .slice(0, 3)
        .map((number) => Number(number.toPrecision(4)))
        .join(', ')}`,
    };
  }
  return undefined;
}

function constantOf(graph: Graph, name: string): ArrayLike<number> | undefined {
  const initial = graph.constants.get(name);
  if (initial) return initial.size <= 16 ? initial.numbers : undefined;
  const maker = graph.nodes.find(({ op, outputs }) => op === 'Constant' && outputs.includes(name));
  const proto = maker?.attributes.get('value')?.t;
  return proto && proto.dims.every((side) => side <= 16n)
    ? proto.floatData.length > 0
      ? proto.floatData
      : new Float32Array(proto.rawData.slice().buffer)
    : undefined;
}
