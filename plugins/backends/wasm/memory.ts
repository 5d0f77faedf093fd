import type { KernelConfig, KernelFunc, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/** Inputs of a kernel by name. */
export type Inputs = Readonly<Record<string, TensorInfo>>;

/** A kernel of this backend: tensors and attributes to one tensor. */
export type Kernel<A> = (backend: BackendWasm, inputs: Inputs, attrs: A) => TensorInfo;

/** The registration of a kernel for this backend. */
export function kernel<A>(kernelName: string, run: Kernel<A>): KernelConfig {
  const kernelFunc: KernelFunc = ({ backend, inputs, attrs }) =>
    run(backend as BackendWasm, inputs as Inputs, attrs as unknown as A);
  return { kernelName, backendName: 'wasm', kernelFunc };
}

/** Runs the kernel that the package itself registers. */
export type Original = (inputs: Inputs, attrs: object) => TensorInfo;

export function original(backend: BackendWasm, { kernelFunc }: KernelConfig): Original {
  return (inputs, attrs) => {
    const named = inputs as Record<string, TensorInfo>;
    return kernelFunc({ backend, inputs: named, attrs: attrs as NamedAttrMap }) as TensorInfo;
  };
}

/** The values of a float32 tensor in place. Valid until the next allocation, which may move the heap. */
export function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** A new float32 tensor with undefined values. */
export function allocate(backend: BackendWasm, shape: readonly number[]): TensorInfo {
  return backend.makeOutput([...shape], 'float32');
}

/**
 * A part of a float32 tensor, from value `at` on, that shares its memory; give it to {@link release}, not to
 * `disposeData`, which would free memory that it does not own.
 */
export function view(
  backend: BackendWasm,
  tensor: TensorInfo,
  at: number,
  shape: readonly number[],
): TensorInfo {
  const offset = backend.getMemoryOffset(tensor.dataId) + 4 * at;
  return backend.makeOutput([...shape], 'float32', offset);
}

export function release(backend: BackendWasm, shared: TensorInfo): void {
  backend.wasm.tfjs.disposeData(idOf(backend, shared));
  backend.dataIdMap.delete(shared.dataId);
}

export function free(backend: BackendWasm, ...tensors: readonly TensorInfo[]): void {
  for (const tensor of tensors) backend.disposeData(tensor.dataId);
}

/** The number by which the compiled code knows a tensor. */
export function idOf(backend: BackendWasm, tensor: TensorInfo): number {
  return backend.dataIdMap.get(tensor.dataId).id;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** The same values under another tensor: counted, not copied. */
export function share(backend: BackendWasm, { dataId, shape, dtype }: TensorInfo): TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
