import type * as tf from '@tensorflow/tfjs-core';
import { invalid, unsupported } from '../foreign/failure.ts';
import type { TensorProto, TensorShapeProto } from './proto/saved_model_pb.ts';

/** Values of a constant or a variable, in a type that TensorFlow.js has. */
export interface Numbers {
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** Sides of a shape; -1 where they are not known. */
export function shapeOf(shape: TensorShapeProto | undefined): number[] {
  return (shape?.dim ?? []).map(({ size }) => Number(size));
}

type Read = (view: DataView, at: number) => number;

interface Type {
  readonly dtype: Numbers['dtype'];
  /** Bytes of a value in a file. */
  readonly size: number;
  readonly read: Read;
}

const whole = (size: number, read: Read): Type => ({ dtype: 'int32', size, read });

/** Numbers of types in TensorFlow's formats. */
const DT = {
  ...{ float32: 1, float64: 2, int32: 3, uint8: 4, int16: 5, int8: 6, int64: 9, bool: 10 },
  ...{ bfloat16: 14, uint16: 17, float16: 19, uint32: 22 },
};

/** The name of a type. */
export function typeName(type: number): string {
  const [name] = Object.entries(DT).find(([, number]) => number === type) ?? [`type ${type}`];
  return name;
}

const types: Readonly<Record<number, Type>> = {
  [DT.float32]: { dtype: 'float32', size: 4, read: (view, at) => view.getFloat32(at, true) },
  [DT.float64]: { dtype: 'float32', size: 8, read: (view, at) => view.getFloat64(at, true) },
  [DT.float16]: { dtype: 'float32', size: 2, read: (view, at) => half(view.getUint16(at, true)) },
  [DT.bfloat16]: { dtype: 'float32', size: 2, read: (view, at) => bfloat(view.getUint16(at, true)) },
  [DT.int8]: whole(1, (view, at) => view.getInt8(at)),
  [DT.uint8]: whole(1, (view, at) => view.getUint8(at)),
  [DT.int16]: whole(2, (view, at) => view.getInt16(at, true)),
  [DT.uint16]: whole(2, (view, at) => view.getUint16(at, true)),
  [DT.int32]: whole(4, (view, at) => view.getInt32(at, true)),
  [DT.uint32]: whole(4, (view, at) => view.getUint32(at, true)),
  [DT.int64]: whole(8, (view, at) => Number(view.getBigInt64(at, true))),
  [DT.bool]: { dtype: 'bool', size: 1, read: (view, at) => view.getUint8(at) },
};

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** Numbers from the bytes of a file. */
export function arrayOf(type: number, shape: readonly number[], bytes: Uint8Array, where: string): Numbers {
  const { dtype, size, read } = typeOf(type, where);
  const count = shape.reduce((product, side) => product * side, 1);
  if (bytes.length !== count * size)
    throw invalid('A tensor holds another number of bytes than its shape asks for.', {
      where,
      expected: `${count * size} for [${shape.join(', ')}]`,
      received: String(bytes.length),
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new arrays[dtype](count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * size);
  return { dtype, shape, values };
}

/** Numbers of a constant. Where it lists fewer than its shape asks for, the last one is repeated. */
export function constantOf(tensor: TensorProto, where: string): Numbers {
  const shape = shapeOf(tensor.tensorShape);
  if (tensor.tensorContent.length > 0) return arrayOf(tensor.dtype, shape, tensor.tensorContent, where);
  const { dtype } = typeOf(tensor.dtype, where);
  const listed = [
    ...tensor.floatVal,
    ...tensor.doubleVal,
    ...tensor.intVal,
    ...tensor.int64Val.map(Number),
    ...tensor.boolVal.map(Number),
    ...tensor.halfVal.map(tensor.dtype === DT.float16 ? half : bfloat),
  ];
  const count = shape.reduce((product, side) => product * side, 1);
  const values = new arrays[dtype](count).fill(listed.at(-1) ?? 0);
  values.set(listed.slice(0, count));
  return { dtype, shape, values };
}

function typeOf(type: number, where: string): Type {
  const found = types[type];
  if (found) return found;
  throw unsupported('The model has a constant of a type that is not computed here.', {
    where,
    received: typeName(type),
  });
}

function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction > 0 ? NaN : sign * Infinity;
  return sign * (exponent > 0 ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

function bfloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

/** Constants as TensorFlow.js takes the weights of a graph. */
export function weightsOf(constants: ReadonlyMap<string, Numbers>): {
  specs: tf.io.WeightsManifestEntry[];
  weights: ArrayBuffer;
} {
  const list = [...constants];
  const specs = list.map(([name, { dtype, shape }]) => ({ name, dtype, shape: [...shape] }));
  const bytes = list.map(
    ([, { values }]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  return { specs, weights: new Uint8Array(Buffer.concat(bytes)).buffer };
}
