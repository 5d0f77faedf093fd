import type * as tfc from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NdArray } from './array.ts';

export type Tf = typeof tfc;

/** One operator: what to compare on every backend, forward and (by finite differences of the reference) backward. */
export interface Row {
  readonly name: string;
  /** Shapes of the inputs; their values are distinct numbers in (-1, 1). */
  readonly inputs: readonly (readonly number[])[];
  /** Maps those values to where the operator is defined and smooth. */
  readonly domain?: (value: number, input: number) => number;
  readonly run: (tf: Tf, inputs: Tensor[]) => Tensor;
  readonly reference: (inputs: NdArray[]) => NdArray;
  /** Operators without a gradient. */
  readonly forwardOnly?: boolean;
}

/** The usual image: batch 2, height 5, width 6, 3 channels. */
export const X = [2, 5, 6, 3];
