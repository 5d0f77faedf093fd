import type { Tensor } from '@tensorflow/tfjs-core';

/** One attribute of a raw TensorFlow operator as tfjs-node's binding takes it; `type` is a `TF_ATTR_...` number. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What the binding says about a tensor that an operator made; `dtype` is a `TF_...` number. */
export interface OutputMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The numbers and functions of tfjs-node's addon that are used here. */
export interface Binding {
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  isUsingGpuDevice(): boolean;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(session: number, tensors: number[], inputs: string, outputs: string): OutputMetadata[];
}

/** Values of a tensor as the binding reads and writes them. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** What the backend keeps per tensor: `values` is set until the first operator uses it. */
export interface StoredTensor {
  readonly shape: number[];
  readonly dtype: number;
  readonly values: Values | null;
}

/** tfjs-node's kernel backend: every kernel ends in `executeSingleOutput` or `executeMultipleOutputs`. */
export interface NativeBackend {
  readonly binding: Binding;
  readonly tensorMap: { get(dataId: object): StoredTensor; has(dataId: object): boolean };
  executeSingleOutput(op: string, attributes: Attribute[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(op: string, attributes: Attribute[], inputs: Tensor[], outputs: number): Tensor[];
  createOutputTensor(metadata: OutputMetadata): Tensor;
  getInputTensorIds(tensors: Tensor[]): number[];
  move(dataId: object, values: unknown, shape: number[], dtype: string, references: number): void;
  readSync(dataId: object): Values;
  read(dataId: object): Promise<Values>;
}
