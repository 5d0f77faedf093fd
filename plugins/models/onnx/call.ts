import type { Tensor } from '@tensorflow/tfjs-core';
import { invalid, unsupported } from './failure.ts';
import type { Graph, Node } from './graph.ts';
import type { AttributeProto } from './proto/onnx_pb.ts';
import { isFloat, types } from './types.ts';
import { channelsLast, NotConstant, SIZED, Value, type Level, type Numbers } from './value.ts';

/** What an operator does: from its inputs and attributes to its outputs. */
export type Handler = (call: Call) => Value | readonly Value[];

/** One operator with its inputs, while it runs. */
export class Call {
  readonly node: Node;
  readonly opset: number;
  readonly inputs: readonly (Value | undefined)[];
  /** What shapes depend on: {@link SIZED}, unless the batch has a fixed size. */
  readonly shapeLevel: Level;
  /** Runs a graph among the attributes. */
  readonly run: (graph: Graph) => Value[];

  constructor(
    node: Node,
    opset: number,
    inputs: readonly (Value | undefined)[],
    shapeLevel: Level,
    run: (graph: Graph) => Value[],
  ) {
    this.node = node;
    this.opset = opset;
    this.inputs = inputs;
    this.shapeLevel = shapeLevel;
    this.run = run;
  }

  /** The most that any input depends on. */
  get level(): Level {
    return Math.max(0, ...this.inputs.map((value) => value?.level ?? 0)) as Level;
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  input(index: number): Value {
    const value = this.inputs[index];
    if (value) return value;
    throw invalid('An input of a node is missing.', {
      where: this.where,
      received: `${this.inputs.length} inputs`,
    });
  }

  /** All inputs that are there. */
  get given(): Value[] {
    return this.inputs.filter((value) => value !== undefined);
  }

  /** The numbers of an input that must not depend on the images, such as a shape. */
  numbers(index: number): number[] {
    try {
      return Array.from(this.input(index).numbers);
    } catch (error) {
      if (!(error instanceof NotConstant)) throw error;
      throw unsupported('An operator takes sizes or positions that depend on what the image shows.', {
        where: this.where,
        expected: `input ${index} ('${this.node.inputs[index]}') to be known before the model runs`,
        next: 'export the model so that this is a constant',
        cause: error,
      });
    }
  }

  /** The numbers of an optional input; without it those of the attribute that older versions have in its place. */
  listed(index: number, attribute: string): number[] | undefined {
    return this.has(index) ? this.numbers(index) : this.ints(attribute);
  }

  attribute(name: string): AttributeProto | undefined {
    return this.node.attributes.get(name);
  }

  int(name: string, otherwise: number): number {
    const found = this.attribute(name);
    return found ? Number(found.i) : otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.attribute(name)?.f ?? otherwise;
  }

  ints(name: string): number[] | undefined {
    return this.attribute(name)?.ints.map(Number);
  }

  text(name: string, otherwise = ''): string {
    const found = this.attribute(name);
    return found ? new TextDecoder().decode(found.s) : otherwise;
  }

  graph(name: string): Graph {
    const found = this.node.graphs.get(name);
    if (found) return found;
    throw invalid('A graph that belongs to a node is missing.', { where: this.where, expected: name });
  }

  get where(): string {
    return `node '${this.node.name}' (${this.node.op})`;
  }

  /** A result whose axes are those of ONNX, or stand in `order`. */
  value(
    tensor: Tensor,
    { order, type }: { order?: readonly number[] | undefined; type?: number } = {},
  ): Value {
    return Value.of(tensor, type ?? this.#typeOf(tensor), this.level, order);
  }

  /** A result that lies channels-last. */
  image(tensor: Tensor): Value {
    return this.value(tensor, { order: channelsLast(tensor.rank) });
  }

  /** A result that consists of numbers. */
  constant(numbers: Numbers, shape: readonly number[], type: number, level = this.level): Value {
    return Value.numbers(numbers, shape, type, Math.min(level, SIZED) as Level);
  }

  /** The type of the first input where the engine holds it in the same way. */
  #typeOf({ dtype }: Tensor): number {
    const first = this.inputs[0]?.type ?? types.FLOAT;
    if (dtype === 'bool') return types.BOOL;
    if (dtype === 'float32') return isFloat(first) ? first : types.FLOAT;
    return isFloat(first) || first === types.BOOL ? types.INT64 : first;
  }
}
