import {
  BatchMatMul,
  broadcast_util,
  type BatchMatMulAttrs,
  type KernelConfig,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { allocate, floats, free, idOf, kernel, release, sizeOf, view } from './memory.ts';

/** `out[M,N] = a[M,K] b[K,N]`, all row-major. */
export type Multiply = (
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
  m: number,
  k: number,
  n: number,
) => void;

/** What the package's types leave out of its module. */
interface Emscripten {
  cwrap(name: string, result: null, types: readonly string[]): (...args: unknown[]) => void;
}

/**
 * The package's matrix product for one pair of plain matrices, which runs XNNPACK. The package leaves transposed
 * and batched products to a loop without vector instructions, about ten times slower.
 */
export function multiplier(backend: BackendWasm): Multiply {
  const types = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'];
  const run = (backend.wasm as unknown as Emscripten).cwrap(BatchMatMul, null, types);
  const shape = (rows: number, columns: number) => new Uint8Array(new Int32Array([1, rows, columns]).buffer);
  return (a, b, out, m, k, n) => {
    const [idA, idB, idOut] = [a, b, out].map((tensor) => idOf(backend, tensor));
    run(idA, shape(m, k), 3, idB, shape(k, n), 3, false, false, idOut);
  };
}

/** Matrix product with transposes and broadcast batches as XNNPACK products, one per matrix of the batch. */
export function batchMatMul(multiply: Multiply): KernelConfig {
  return kernel<BatchMatMulAttrs>(BatchMatMul, (backend, { a, b }, { transposeA, transposeB }) => {
    const left = matrices(backend, a!, transposeA);
    const right = matrices(backend, b!, transposeB);
    const batch = broadcast_util.assertAndGetBroadcastShape(left.batch, right.batch);
    const [m, k, n] = [left.rows, left.columns, right.columns];
    const out = allocate(backend, [...batch, m, n]);
    if (sizeOf(right.batch) === 1) {
      multiply(left.tensor, right.tensor, out, sizeOf(left.batch) * m, k, n);
    } else {
      for (let at = 0; at < sizeOf(batch); at++) {
        const parts = [
          view(backend, left.tensor, offset(at, batch, left.batch) * m * k, [m, k]),
          view(backend, right.tensor, offset(at, batch, right.batch) * k * n, [k, n]),
          view(backend, out, at * m * n, [m, n]),
        ] as const;
        multiply(...parts, m, k, n);
        for (const part of parts) release(backend, part);
      }
    }
    for (const { tensor, owned } of [left, right]) if (owned) free(backend, tensor);
    return out;
  });
}

interface Matrices {
  readonly tensor: TensorInfo;
  readonly batch: number[];
  readonly rows: number;
  readonly columns: number;
  /** Whether `tensor` is a transposed copy that has to be freed. */
  readonly owned: boolean;
}

function matrices(backend: BackendWasm, tensor: TensorInfo, transposed: boolean): Matrices {
  const batch = tensor.shape.slice(0, -2);
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  if (!transposed) return { tensor, batch, rows, columns, owned: false };
  const copy = allocate(backend, [...batch, columns, rows]);
  const [from, to] = [floats(backend, tensor), floats(backend, copy)];
  for (let at = 0; at < from.length; at += rows * columns) transpose(from, at, rows, columns, to, at);
  return { tensor: copy, batch, rows: columns, columns: rows, owned: true };
}

/** Writes the transpose of a row-major matrix, in tiles that stay in the cache. */
export function transpose(
  from: Float32Array,
  start: number,
  rows: number,
  columns: number,
  to: Float32Array,
  target: number,
): void {
  const tile = 32;
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(rows, top + tile);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(columns, left + tile);
      for (let column = left; column < right; column++) {
        for (let row = top, at = target + column * rows; row < bottom; row++) {
          to[at + row] = from[start + row * columns + column]!;
        }
      }
    }
  }
}

/** Index of a matrix in a batch that is broadcast to `batch`. */
function offset(at: number, batch: readonly number[], own: readonly number[]): number {
  let index = 0;
  for (let axis = batch.length - 1, stride = 1; axis >= 0; axis--) {
    const side = own[axis - batch.length + own.length] ?? 1;
    if (side > 1) index += (at % batch[axis]!) * stride;
    at = Math.floor(at / batch[axis]!);
    stride *= side;
  }
  return index;
}
