import {
  Cast,
  Concat,
  Conv2D,
  getKernel,
  Identity,
  Mean,
  registerKernel,
  Slice,
  Sum,
  unregisterKernel,
  type KernelConfig,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { copyingKernels } from './copying.ts';
import { depthwiseGradients } from './depthwise.ts';
import { filterGradient } from './filter-gradient.ts';
import { inputGradient } from './input-gradient.ts';
import { batchMatMul, multiplier } from './matmul.ts';
import { original } from './memory.ts';
import { maxPoolGradient } from './pooling.ts';
import { leadingReductions, segmentSum } from './reduction.ts';

/** Registers the kernels that the package lacks, and faster ones for those that it leaves to scalar code. */
export function registerKernels(backend: BackendWasm): void {
  const of = (name: string) => original(backend, getKernel(name, 'wasm'));
  const multiply = multiplier(backend);
  const copies = { cast: of(Cast), concat: of(Concat), identity: of(Identity), slice: of(Slice) };
  const kernels: KernelConfig[] = [
    batchMatMul(multiply),
    inputGradient(of(Conv2D), multiply),
    filterGradient(multiply),
    ...depthwiseGradients(),
    ...copyingKernels(copies),
    maxPoolGradient(),
    ...leadingReductions(of(Sum), of(Mean)),
    segmentSum(),
  ];
  for (const config of kernels) {
    if (getKernel(config.kernelName, 'wasm')) unregisterKernel(config.kernelName, 'wasm');
    registerKernel(config);
  }
}
