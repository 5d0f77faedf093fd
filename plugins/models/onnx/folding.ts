import * as tf from '@tensorflow/tfjs-core';
import type { Call } from './call.ts';
import { checkedShape } from './failure.ts';
import { normalIndex, stridesOf } from './ops/indexing.ts';
import { cutsOf, reshaped, splitSizes, squeezed, unsqueezed } from './ops/movement.ts';
import { reducedAxes } from './ops/reduction.ts';
import { isNarrow } from './narrow.ts';
import { isFloat, rangeOf, types } from './types.ts';
import { inOrder, normalAxis, type Value } from './value.ts';

/** More numbers than these are the engine's business. */
const MOST = 4096;

/** The result of an operator on plain numbers, exactly and without the engine; nothing where that is not worth it. */
export function fold(call: Call): Value | readonly Value[] | undefined {
  const operator = operators[call.node.op];
  if (!operator || !call.given.every((value) => value.isPlain && value.size <= MOST)) return undefined;
  return operator(call);
}

type Folding = (call: Call) => Value | readonly Value[] | undefined;

/** Whole numbers wrap as their type does; floats are rounded to 32 bits. */
function fit(value: number, type: number): number {
  if (isFloat(type)) return Math.fround(value);
  const range = rangeOf(type);
  if (!range) return value;
  const [low, high] = range;
  const count = high - low + 1;
  return value < low || value > high ? ((((value - low) % count) + count) % count) + low : value;
}

const each =
  (apply: (x: number, call: Call) => number): Folding =>
  (call) => {
    const x = call.input(0);
    return call.constant(
      Array.from(x.numbers, (value) => fit(apply(value, call), x.type)),
      x.shape,
      x.type,
    );
  };

/** Elements of `value`, repeated as broadcasting to `shape` repeats them. */
function spread({ numbers, shape: own }: Value, shape: readonly number[]): number[] {
  const offset = shape.length - own.length;
  const [strides, from] = [stridesOf(shape), stridesOf(own)];
  const size = shape.reduce((product, side) => product * side, 1);
  return Array.from({ length: size }, (_, at) => {
    const place = own.reduce((sum, side, axis) => {
      const coordinate = Math.floor(at / strides[axis + offset]!) % shape[axis + offset]!;
      return side === 1 ? sum : sum + coordinate * from[axis]!;
    }, 0);
    return numbers[place]!;
  });
}

const broadcast =
  (apply: (values: readonly number[], call: Call) => number, typeOf: (call: Call) => number): Folding =>
  (call) => {
    const shape = call.given
      .map((value) => [...value.shape])
      .reduce((a, b) => tf.broadcast_util.assertAndGetBroadcastShape(a, b));
    checkedShape(shape, call.where);
    const columns = call.given.map((value) => spread(value, shape));
    const type = typeOf(call);
    const numbers = columns[0]!.map((_, at) =>
      fit(
        apply(
          columns.map((column) => column[at]!),
          call,
        ),
        type,
      ),
    );
    return call.constant(numbers, shape, type);
  };

const firstType = (call: Call) => call.input(0).type;
const arithmetic = (apply: (a: number, b: number, call: Call) => number) =>
  broadcast((v, call) => v.slice(1).reduce((a, b) => apply(a, b, call), v[0]!), firstType);
const logic = (apply: (a: number, b: number) => boolean) =>
  broadcast(
    ([a, b]) => Number(apply(a!, b!)),
    () => types.BOOL,
  );

function divide(a: number, b: number, call: Call): number {
  return isFloat(firstType(call)) ? a / b : Math.trunc(a / b);
}

function modulo(a: number, b: number, call: Call): number {
  const rest = a % b;
  return call.int('fmod', 0) === 0 && rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

const shaped =
  (shapeOf: (x: Value, call: Call) => number[]): Folding =>
  (call) => {
    const x = call.input(0);
    return call.constant(x.numbers, shapeOf(x, call), x.type);
  };

const gather: Folding = (call) => {
  const [x, indices] = [call.input(0), call.input(1)];
  const axis = normalAxis(call.int('axis', 0), x.rank);
  const inner = x.shape.slice(axis + 1).reduce((product, side) => product * side, 1);
  const length = x.shape[axis]!;
  const outer = x.size / Math.max(1, inner * length);
  const wanted = Array.from(indices.numbers, (index) => normalIndex(index, length, call.where));
  const numbers = inOrder(outer).flatMap((o) =>
    wanted.flatMap((index) => inOrder(inner).map((i) => x.numbers[(o * length + index) * inner + i]!)),
  );
  return call.constant(
    numbers,
    [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
    x.type,
  );
};

/** Lists of numbers are joined and cut; what has more axes is left to the engine. */
const isList = ({ rank }: Value) => rank === 1;

const concat: Folding = (call) => {
  if (!call.given.every(isList)) return undefined;
  const numbers = call.given.flatMap((value) => Array.from(value.numbers));
  return call.constant(numbers, [numbers.length], firstType(call));
};

const slice: Folding = (call) => {
  const x = call.input(0);
  const [cut, ...more] = cutsOf(call, x);
  if (!isList(x) || !cut || more.length > 0) return undefined;
  const { start, count, step } = cut;
  return call.constant(
    Array.from({ length: count }, (_, index) => x.numbers[start + index * step]!),
    [count],
    x.type,
  );
};

const split: Folding = (call) => {
  const x = call.input(0);
  if (!isList(x)) return undefined;
  let start = 0;
  return splitSizes(call, x.size).map((size) =>
    call.constant(Array.from(x.numbers).slice(start, (start += size)), [size], x.type),
  );
};

const reduce =
  (apply: (a: number, b: number) => number): Folding =>
  (call) => {
    const x = call.input(0);
    if (x.size === 0 || reducedAxes(call, x).length !== x.rank) return undefined;
    const shape = call.int('keepdims', 1) === 1 ? x.shape.map(() => 1) : [];
    return call.constant([fit(Array.from(x.numbers).reduce(apply), x.type)], shape, x.type);
  };

const expand: Folding = (call) => {
  const x = call.input(0);
  const shape = checkedShape(
    tf.broadcast_util.assertAndGetBroadcastShape([...x.shape], call.numbers(1)),
    call.where,
  );
  return shape.reduce((product, side) => product * side, 1) > MOST
    ? undefined
    : call.constant(spread(x, shape), shape, x.type);
};

const cast: Folding = (call) => {
  const x = call.input(0);
  const type = call.has(1) ? call.input(1).type : call.int('to', types.FLOAT);
  if (isNarrow(type)) return undefined;
  const convert =
    type === types.BOOL ? (value: number) => Number(value !== 0) : isFloat(type) ? Math.fround : Math.trunc;
  return call.constant(
    Array.from(x.numbers, (value) => fit(convert(value), type)),
    x.shape,
    type,
  );
};

/** The arithmetic that exporters do on shapes. */
const operators: Readonly<Record<string, Folding>> = {
  Add: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Div: arithmetic(divide),
  Mod: arithmetic(modulo),
  Min: arithmetic((a, b) => Math.min(a, b)),
  Max: arithmetic((a, b) => Math.max(a, b)),
  Neg: each((x) => -x),
  Abs: each(Math.abs),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Sqrt: each(Math.sqrt),
  Not: each((x) => Number(x === 0)),
  Identity: (call) => call.input(0),
  Equal: logic((a, b) => a === b),
  Greater: logic((a, b) => a > b),
  GreaterOrEqual: logic((a, b) => a >= b),
  Less: logic((a, b) => a < b),
  LessOrEqual: logic((a, b) => a <= b),
  And: logic((a, b) => a !== 0 && b !== 0),
  Or: logic((a, b) => a !== 0 || b !== 0),
  Where: broadcast(
    ([condition, a, b]) => (condition ? a! : b!),
    (call) => call.input(1).type,
  ),
  Cast: cast,
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Split: split,
  Reshape: shaped((x, call) => reshaped(call.numbers(1), x, call)),
  Squeeze: shaped((x, call) => squeezed(x, call.listed(1, 'axes'))),
  Unsqueeze: shaped((x, call) => unsqueezed(x, call.listed(1, 'axes') ?? [])),
  Expand: expand,
  ReduceProd: reduce((a, b) => a * b),
  ReduceSum: reduce((a, b) => a + b),
  ReduceMax: reduce((a, b) => Math.max(a, b)),
  ReduceMin: reduce((a, b) => Math.min(a, b)),
};
