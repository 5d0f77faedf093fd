import * as tf from '@tensorflow/tfjs-core';
import type { DataTypeMap, Tensor } from '@tensorflow/tfjs-core';
import { invalid } from './failure.ts';
import { dtypeOf } from './types.ts';

/** Numbers in row-major order. */
export type Numbers = ArrayLike<number>;

/** What a value depends on: on nothing, on the size of the batch alone, or on the images. */
export type Level = 0 | 1 | 2;
export const FIXED: Level = 0;
export const SIZED: Level = 1;
export const IMAGE: Level = 2;

/** The order in which the engine wants images, `[N, ..., C]`, as axes of the `[N, C, ...]` that ONNX speaks of. */
export function channelsLast(rank: number): number[] {
  if (rank < 3) return inOrder(rank);
  return [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
}

export function inOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

interface Parts {
  readonly type: number;
  readonly level: Level;
  readonly shape: readonly number[];
  readonly order: readonly number[];
  readonly numbers?: Numbers | undefined;
  readonly tensor?: Tensor | undefined;
}

/**
 * A tensor of the graph. `shape` is what ONNX speaks of; in memory its axes may stand in another order: axis p of
 * `tensor` is axis `order[p]` of `shape`. So a transposition costs nothing until an operator needs the axes in order,
 * and images stay channels-last from the first convolution to the last. Small constants are plain numbers.
 */
export class Value {
  readonly type: number;
  readonly level: Level;
  readonly shape: readonly number[];
  readonly order: readonly number[];
  readonly #numbers: Numbers | undefined;
  #tensor: Tensor | undefined;
  readonly #derived = new Map<string, Tensor>();

  constructor({ type, level, shape, order, numbers, tensor }: Parts) {
    this.type = type;
    this.level = level;
    this.shape = shape;
    this.order = order;
    this.#numbers = numbers;
    this.#tensor = tensor;
  }

  static of(
    tensor: Tensor,
    type: number,
    level: Level,
    order: readonly number[] = inOrder(tensor.rank),
  ): Value {
    const shape = order.map((_, axis) => tensor.shape[order.indexOf(axis)]!);
    return new Value({ type, level, shape, order, tensor });
  }

  static numbers(numbers: Numbers, shape: readonly number[], type: number, level: Level): Value {
    return new Value({ type, level, shape, order: inOrder(shape.length), numbers });
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.shape.reduce((product, side) => product * side, 1);
  }

  /** Whether its numbers can be had without the engine. */
  get isPlain(): boolean {
    return this.#numbers !== undefined;
  }

  /** The tensor as it lies in memory; see {@link order}. */
  get tensor(): Tensor {
    if (this.#tensor) return this.#tensor;
    const made = tensorOf(this.#numbers!, this.shape, this.type);
    if (this.level === FIXED) this.#tensor = tf.keep(made);
    return made;
  }

  /** The values, in order. A value that depends on the images has none. */
  get numbers(): Numbers {
    if (this.#numbers) return this.#numbers;
    if (this.level === IMAGE) throw new NotConstant();
    return tf.tidy(() => this.as(inOrder(this.rank)).dataSync());
  }

  /** The tensor with its axes in the given order; leading axes of length 1 are added where the order is longer. */
  as(order: readonly number[]): Tensor {
    if (order.length === this.rank && tf.util.arraysEqual([...order], [...this.order])) return this.tensor;
    return this.derive(`order ${order}`, () => {
      const missing = order.length - this.rank;
      const from = [...inOrder(missing), ...this.order.map((axis) => axis + missing)];
      const padded =
        missing > 0
          ? tf.reshape(this.tensor, [...Array<number>(missing).fill(1), ...this.tensor.shape])
          : this.tensor;
      return permute(
        padded,
        order.map((axis) => from.indexOf(axis)),
      );
    });
  }

  /** The tensor with its axes as ONNX has them. */
  get ordered(): Tensor {
    return this.as(inOrder(this.rank));
  }

  /** Something made of the tensor. Of a fixed value it is made once, and kept. */
  derive(key: string, make: () => Tensor): Tensor {
    if (this.level !== FIXED) return make();
    const known = this.#derived.get(key);
    if (known) return known;
    const made = tf.keep(tf.tidy(() => tf.clone(make())));
    this.#derived.set(key, made);
    return made;
  }

  /** A value with another tensor of the same axes. */
  with(tensor: Tensor, type = this.type): Value {
    return Value.of(tensor, type, this.level, this.order);
  }

  /** Where an axis of `shape` lies in memory. */
  place(axis: number): number {
    return this.order.indexOf(normalAxis(axis, this.rank));
  }

  /** Keeps the tensor of a fixed value until `dispose`. */
  keep(): void {
    if (this.#tensor) tf.keep(this.#tensor);
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
    for (const tensor of this.#derived.values()) tensor.dispose();
    this.#derived.clear();
  }
}

/** Thrown where an operator needs the numbers of a value that depends on the images. */
export class NotConstant extends Error {}

export function normalAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (normal >= 0 && normal < Math.max(rank, 1)) return normal;
  throw invalid('An axis does not exist.', { expected: `-${rank} to ${rank - 1}`, received: String(axis) });
}

function permute(tensor: Tensor, places: readonly number[]): Tensor {
  const moved = places.filter((place) => tensor.shape[place] !== 1);
  const stays = moved.every((place, index) => index === 0 || place > moved[index - 1]!);
  if (stays)
    return tf.reshape(
      tensor,
      places.map((place) => tensor.shape[place]!),
    );
  return tf.transpose(tensor, [...places]);
}

function tensorOf(numbers: Numbers, shape: readonly number[], type: number): Tensor {
  const dtype = dtypeOf(type);
  const typed =
    dtype === 'float32'
      ? numbers instanceof Float32Array
        ? numbers
        : Float32Array.from(numbers)
      : dtype === 'bool'
        ? Uint8Array.from(numbers)
        : Int32Array.from(numbers, (value) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)));
  return tf.tensor(typed as DataTypeMap['float32'], [...shape], dtype);
}
