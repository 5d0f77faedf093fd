import {
  Mean,
  Sum,
  UnsortedSegmentSum,
  util,
  type KernelConfig,
  type SumAttrs,
  type TensorInfo,
  type UnsortedSegmentSumAttrs,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { allocate, floats, kernel, sizeOf, type Original } from './memory.ts';
/**
 * Sums and means over leading axes (those of a bias gradient and of batch normalisation), added up in
 * double precision; the package transposes the tensor first. Other axes are left to the package.
 */
export function leadingReductions(sum: Original, mean: Original): KernelConfig[] {
  const reduce = (kernelName: string, fallback: Original, weight: (rows: number) => number) =>
    kernel<SumAttrs>(kernelName, (backend, { x }, attrs) => {
      const axes = util.parseAxisParam(attrs.axis, x!.shape);
      const kept = x!.shape.slice(axes.length);
      const leading = axes.length > 0 && axes.toSorted((a, b) => a - b).every((axis, i) => axis === i);
      if (!leading || x!.dtype !== 'float32' || sizeOf(kept) < 2 || sizeOf(x!.shape) === 0) {
        return fallback({ x: x! }, attrs);
      }
      const out = columnSums(backend, x!, sizeOf(kept), weight(sizeOf(x!.shape) / sizeOf(kept)));
      out.shape = attrs.keepDims ? x!.shape.map((side, i) => (axes.includes(i) ? 1 : side)) : kept;
      return out;
    });
  return [reduce(Sum, sum, () => 1), reduce(Mean, mean, (rows) => 1 / rows)];
}

function columnSums(backend: BackendWasm, x: TensorInfo, columns: number, weight: number): TensorInfo {
  const out = allocate(backend, [columns]);
  const values = floats(backend, x);
  const total = new Float64Array(columns);
  for (let row = 0; row < values.length; row += columns) {
    for (let i = 0; i < columns; i++) total[i] = total[i]! + values[row + i]!;
  }
  floats(backend, out).set(total.map((value) => value * weight));
  return out;
}

/** The gradient of `gather`, which the package lacks: rows of x `[n, ...]` added up by the segment of each row. */
export function segmentSum(): KernelConfig {
  return kernel<UnsortedSegmentSumAttrs>(
    UnsortedSegmentSum,
    (backend, { x, segmentIds }, { numSegments }) => {
      const inner = x!.shape.slice(segmentIds!.shape.length);
      const length = sizeOf(inner);
      const out = allocate(backend, [numSegments, ...inner]);
      const [values, sums] = [floats(backend, x!), floats(backend, out)];
      sums.fill(0);
      backend.typedArrayFromHeap(segmentIds!).forEach((segment, row) => {
        if (segment < 0) return;
        for (let i = 0; i < length; i++) {
          sums[segment * length + i] = sums[segment * length + i]! + values[row * length + i]!;
        }
      });
      return out;
    },
  );
}
