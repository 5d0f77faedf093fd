import type { DataType } from '@tensorflow/tfjs-core';

/** Element types of ONNX, by their number in the file. */
export const types = {
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  BFLOAT16: 16,
  FLOAT8E4M3FN: 17,
  FLOAT8E4M3FNUZ: 18,
  FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20,
  UINT4: 21,
  INT4: 22,
  FLOAT4E2M1: 23,
} as const;

const names = new Map<number, string>(Object.entries(types).map(([name, number]) => [number, name]));

export function typeName(type: number): string {
  return names.get(type)?.toLowerCase() ?? `type ${type}`;
}

const { FLOAT, DOUBLE, FLOAT16, BFLOAT16, BOOL, STRING } = types;
const floats = new Set<number>([FLOAT, DOUBLE, FLOAT16, BFLOAT16, 17, 18, 19, 20, 23]);

export function isFloat(type: number): boolean {
  return floats.has(type);
}

export function isKnown(type: number): boolean {
  return names.has(type) && type !== STRING;
}

/** How the engine holds values of a type: every real number as float32, every whole one as int32. */
export function dtypeOf(type: number): DataType {
  if (isFloat(type)) return 'float32';
  return type === BOOL ? 'bool' : 'int32';
}

/** Smallest and largest value of a whole type; nothing for the others. */
export function rangeOf(type: number): readonly [low: number, high: number] | undefined {
  return ranges[type];
}

const signed = (bits: number) => [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const;
const unsigned = (bits: number) => [0, 2 ** bits - 1] as const;
const ranges: Readonly<Record<number, readonly [number, number]>> = {
  [types.UINT4]: unsigned(4),
  [types.INT4]: signed(4),
  [types.UINT8]: unsigned(8),
  [types.INT8]: signed(8),
  [types.UINT16]: unsigned(16),
  [types.INT16]: signed(16),
  [types.INT32]: signed(32),
  [types.UINT32]: unsigned(32),
};
