import {
  backend_util,
  Cast,
  Concat,
  Identity,
  Slice,
  slice_util,
  SplitV,
  Tile,
  util,
  type CastAttrs,
  type ConcatAttrs,
  type KernelConfig,
  type SliceAttrs,
  type SplitVAttrs,
  type Tensor,
  type TensorInfo,
  type TileAttrs,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { free, kernel, share, sizeOf, type Original } from './memory.ts';

/** Rows of at least this many values are copied by the runtime, shorter ones by a loop, which starts faster. */
const LONG_ROW = 48;

/** `rows` runs of `length` values from one array to another, each with its own distance between runs. */
export interface Rows {
  readonly rows: number;
  readonly length: number;
  readonly from: number;
  readonly fromStep: number;
  readonly to: number;
  readonly toStep: number;
}

export function copyRows<T extends Values>(source: T, target: T, run: Rows): void {
  const { rows, length, fromStep, toStep } = run;
  let { from, to } = run;
  for (let row = 0; row < rows; row++, from += fromStep, to += toStep) {
    if (length >= LONG_ROW) target.set(source.subarray(from, from + length), to);
    else for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
  }
}

type Values = Float32Array | Int32Array | Uint8Array;
type Begin = readonly number[];

/** The package's own versions, which strings still need. */
export interface Originals {
  readonly cast: Original;
  readonly concat: Original;
  readonly identity: Original;
  readonly slice: Original;
}

/** Kernels that only move values; the package copies where sharing would do, and value by value elsewhere. */
export function copyingKernels(originals: Originals): KernelConfig[] {
  return [
    kernel(Identity, (backend, { x }) =>
      x!.dtype === 'string' ? originals.identity({ x: x! }, {}) : share(backend, x!),
    ),
    kernel<CastAttrs>(Cast, (backend, { x }, { dtype }) =>
      x!.dtype === dtype && dtype !== 'string' ? share(backend, x!) : originals.cast({ x: x! }, { dtype }),
    ),
    kernel<SliceAttrs>(Slice, (backend, { x }, attrs) => {
      if (x!.dtype === 'string') return originals.slice({ x: x! }, attrs);
      const parsed = slice_util.parseSliceParams(x as Tensor, attrs.begin, attrs.size);
      return slice(backend, x!, parsed[0]!, parsed[1]!);
    }),
    splitV(),
    kernel<ConcatAttrs>(Concat, (backend, inputs, attrs) => {
      const parts = Object.values(inputs);
      if (parts[0]!.dtype === 'string') return originals.concat(inputs, attrs);
      return concat(backend, parts, util.parseAxisParam(attrs.axis, parts[0]!.shape)[0]!);
    }),
    kernel<TileAttrs>(Tile, (backend, { x }, { reps }) => tile(backend, x!, reps)),
  ];
}

function splitV(): KernelConfig {
  const split = (backend: BackendWasm, x: TensorInfo, { numOrSizeSplits, axis }: SplitVAttrs) => {
    const at = util.parseAxisParam(axis, x.shape)[0]!;
    const sizes = backend_util.prepareSplitSize(x as Tensor, numOrSizeSplits, at);
    let begin = 0;
    return sizes.map((size) => {
      const start = x.shape.map((_, i) => (i === at ? begin : 0));
      begin += size;
      return slice(backend, x, start, x.shape.with(at, size));
    });
  };
  return {
    kernelName: SplitV,
    backendName: 'wasm',
    kernelFunc: ({ backend, inputs, attrs }) =>
      split(backend as BackendWasm, inputs['x'] as TensorInfo, attrs as unknown as SplitVAttrs),
  };
}

/** Runs of values that lie together are copied at once; `axis` is the last one that the slice shortens. */
function slice(backend: BackendWasm, x: TensorInfo, begin: Begin, size: Begin): TensorInfo {
  const axis = size.findLastIndex((side, i) => side !== x.shape[i]);
  if (axis < 0) return share(backend, x);
  const out = backend.makeOutput([...size], x.dtype);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const length = size[axis]! * inner;
  const fromStep = x.shape[axis]! * inner;
  const rows = axis === 0 ? 1 : size[axis - 1]!;
  const outer = size.slice(0, Math.max(0, axis - 1));
  const [source, target] = [values(backend, x), values(backend, out)];
  for (let i = 0; i < sizeOf(outer) && length > 0; i++) {
    const from = origin(i, outer, begin, x.shape, axis) * inner;
    copyRows(source, target, { rows, length, from, fromStep, to: i * rows * length, toStep: length });
  }
  return out;
}

/** Position, in units of the axes behind `axis`, of the first value that outer index `i` of a slice takes. */
function origin(i: number, outer: Begin, begin: Begin, shape: Begin, axis: number): number {
  let position = begin[axis]!;
  let stride = shape[axis]!;
  if (axis > 0) {
    position += begin[axis - 1]! * stride;
    stride *= shape[axis - 1]!;
  }
  for (let at = outer.length - 1; at >= 0; at--) {
    position += (begin[at]! + (i % outer[at]!)) * stride;
    i = Math.floor(i / outer[at]!);
    stride *= shape[at]!;
  }
  return position;
}

function concat(backend: BackendWasm, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const shapes = parts.map(({ shape }) => shape);
  backend_util.assertParamsConsistent(shapes, axis);
  const out = backend.makeOutput(backend_util.computeOutShape(shapes, axis), parts[0]!.dtype);
  const rows = sizeOf(out.shape.slice(0, axis));
  const toStep = sizeOf(out.shape.slice(axis));
  let to = 0;
  for (const part of parts) {
    const length = sizeOf(part.shape.slice(axis));
    const run = { rows, length, from: 0, fromStep: length, to, toStep };
    copyRows(values(backend, part), values(backend, out), run);
    to += length;
  }
  return out;
}

/** Repeats axis by axis, the innermost first. */
function tile(backend: BackendWasm, x: TensorInfo, reps: readonly number[]): TensorInfo {
  let done = share(backend, x);
  for (let axis = reps.length - 1; axis >= 0; axis--) {
    const times = reps[axis]!;
    if (times === 1) continue;
    const length = sizeOf(done.shape.slice(axis));
    const rows = sizeOf(done.shape.slice(0, axis));
    const out = backend.makeOutput(done.shape.with(axis, done.shape[axis]! * times), x.dtype);
    for (let i = 0; i < times; i++) {
      const run = { rows, length, from: 0, fromStep: length, to: i * length, toStep: times * length };
      copyRows(values(backend, done), values(backend, out), run);
    }
    free(backend, done);
    done = out;
  }
  return done;
}

function values(backend: BackendWasm, tensor: TensorInfo): Values {
  return backend.typedArrayFromHeap(tensor) as Values;
}
