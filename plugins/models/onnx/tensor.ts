import { invalid, unsupported } from './failure.ts';
import type { TensorProto } from './proto/onnx_pb.ts';
import { isKnown, typeName, types } from './types.ts';
import { FIXED, Value, type Numbers } from './value.ts';

const T = types;

/** A tensor of the file as a value; `data` are its bytes where they lie in a file of their own. */
export function readTensor(proto: TensorProto, data?: Uint8Array): Value {
  const where = `tensor '${proto.name}'`;
  const type = proto.dataType;
  if (!isKnown(type))
    throw unsupported(`A tensor holds values of a type that is not read.`, {
      where,
      received: typeName(type),
    });
  const shape = proto.dims.map(Number);
  const size = shape.reduce((product, side) => product * side, 1);
  if (shape.some((side) => side < 0))
    throw invalid('A tensor has a negative size.', { where, received: `[${shape.join(', ')}]` });
  const raw = data ?? (proto.rawData.length > 0 ? proto.rawData : undefined);
  const numbers = raw ? fromBytes(raw, type, size) : fromFields(proto, type);
  const received = numbers?.length ?? raw?.length;
  if (!numbers || numbers.length !== size) {
    throw invalid('A tensor holds less or more than its shape says.', {
      where,
      expected: `${size} values of ${typeName(type)}, shape [${shape.join(', ')}]`,
      received: numbers ? `${received} values` : `${received} bytes`,
      next: 'the file is incomplete or damaged: copy or export it again',
    });
  }
  return Value.numbers(numbers, shape, type, FIXED);
}

type Reader = (bytes: Uint8Array, size: number) => Numbers;

/** Values of little-endian bytes; nothing when there are too few or too many. */
function fromBytes(bytes: Uint8Array, type: number, size: number): Numbers | undefined {
  const [bits, read] = layouts[type]!;
  return bytes.length === Math.ceil((size * bits) / 8) ? read(bytes, size) : undefined;
}

/** On a copy where the bytes do not start at a multiple of the element's size. */
function view(
  Type: (new (buffer: ArrayBufferLike, at: number, length: number) => Numbers) & {
    BYTES_PER_ELEMENT: number;
  },
): Reader {
  return (bytes, size) => {
    const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
    return new Type(aligned.buffer, aligned.byteOffset, size);
  };
}

/** Whole numbers of 64 bits: exact below 2^53, which every size is. */
function wide(Type: typeof BigInt64Array | typeof BigUint64Array): Reader {
  const read = view(Type as never) as unknown as (bytes: Uint8Array, size: number) => BigInt64Array;
  return (bytes, size) => Array.from(read(bytes, size), Number);
}

const decoded =
  (Type: typeof Uint8Array | typeof Uint16Array, decode: (bits: number) => number): Reader =>
  (bytes, size) =>
    Float32Array.from(view(Type as never)(bytes, size), decode);

/** Two values a byte, the first in the low half. */
const halves =
  (decode: (bits: number) => number): Reader =>
  (bytes, size) =>
    Float32Array.from({ length: size }, (_, i) => decode((bytes[i >> 1]! >> (4 * (i & 1))) & 15));

/** Decodes a floating-point number of few bits; formats without infinity use its codes for numbers. */
function small(exponentBits: number, mantissaBits: number, bias: number): (bits: number) => number {
  return (bits) => {
    const mantissa = bits & (2 ** mantissaBits - 1);
    const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
    const sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
    const fraction = mantissa / 2 ** mantissaBits;
    return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  };
}

function float16(bits: number): number {
  if ((bits & 0x7c00) === 0x7c00) return bits & 0x3ff ? NaN : bits & 0x8000 ? -Infinity : Infinity;
  return small(5, 10, 15)(bits);
}

const word = new DataView(new ArrayBuffer(4));
function bfloat16(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

const e4m3 = small(4, 3, 7);
const e5m2 = small(5, 2, 15);
const unsignedZero = (decode: (bits: number) => number) => (bits: number) =>
  bits === 0x80 ? NaN : decode(bits);

/** Bits of one value, and how many of them are read. */
const layouts: Readonly<Record<number, readonly [bits: number, read: Reader]>> = {
  [T.FLOAT]: [32, view(Float32Array)],
  [T.DOUBLE]: [64, (bytes, size) => Float32Array.from(view(Float64Array)(bytes, size))],
  [T.UINT8]: [8, view(Uint8Array)],
  [T.INT8]: [8, view(Int8Array)],
  [T.BOOL]: [8, view(Uint8Array)],
  [T.UINT16]: [16, view(Uint16Array)],
  [T.INT16]: [16, view(Int16Array)],
  [T.INT32]: [32, view(Int32Array)],
  [T.UINT32]: [32, view(Uint32Array)],
  [T.INT64]: [64, wide(BigInt64Array)],
  [T.UINT64]: [64, wide(BigUint64Array)],
  [T.FLOAT16]: [16, decoded(Uint16Array, float16)],
  [T.BFLOAT16]: [16, decoded(Uint16Array, bfloat16)],
  [T.FLOAT8E4M3FN]: [8, decoded(Uint8Array, (bits) => ((bits & 0x7f) === 0x7f ? NaN : e4m3(bits)))],
  [T.FLOAT8E4M3FNUZ]: [8, decoded(Uint8Array, unsignedZero(small(4, 3, 8)))],
  [T.FLOAT8E5M2]: [
    8,
    decoded(Uint8Array, (bits) =>
      (bits & 0x7f) > 0x7c ? NaN : (bits & 0x7f) === 0x7c ? Infinity * (1 - 2 * (bits >> 7)) : e5m2(bits),
    ),
  ],
  [T.FLOAT8E5M2FNUZ]: [8, decoded(Uint8Array, unsignedZero(small(5, 2, 16)))],
  [T.UINT4]: [4, halves((bits) => bits)],
  [T.INT4]: [4, halves((bits) => (bits > 7 ? bits - 16 : bits))],
  [T.FLOAT4E2M1]: [4, halves(small(2, 1, 1))],
};

/** The typed fields, which hold small tensors; narrow types lie in the one of 32 bits, as numbers or as bits. */
function fromFields(proto: TensorProto, type: number): Numbers | undefined {
  if (type === T.FLOAT) return Float32Array.from(proto.floatData);
  if (type === T.DOUBLE) return Float32Array.from(proto.doubleData);
  if (type === T.INT64) return proto.int64Data.map(Number);
  if (type === T.UINT32 || type === T.UINT64) return proto.uint64Data.map(Number);
  const bits = layouts[type]![0];
  if (bits === 32 || type <= T.BOOL) return proto.int32Data;
  const size = proto.dims.map(Number).reduce((product, side) => product * side, 1);
  if (bits === 16) return fromBytes(new Uint8Array(Uint16Array.from(proto.int32Data).buffer), type, size);
  return fromBytes(Uint8Array.from(proto.int32Data), type, size);
}
