import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { insidePath } from '../foreign/inside.ts';
import { invalid } from './failure.ts';
import { ModelProtoSchema, type ModelProto, type TensorProto } from './proto/onnx_pb.ts';
import { readTensor } from './tensor.ts';
import type { Value } from './value.ts';

/** A protobuf message cannot be larger. */
const LIMIT = 2 ** 31 - 1;

/** A parsed file, and how its tensors are read. */
export interface ModelFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly model: ModelProto;
  /** Reads one tensor, from a file beside the model where it lies there. */
  read(tensor: TensorProto): Value;
}

/**
 * Reads an ONNX file.
 *
 * @throws RobustError MODEL_FILE_INVALID when it is missing, longer than 2 GiB, truncated, or no ONNX file.
 */
export function readModelFile(path: string): ModelFile {
  const bytes = readBytes(path);
  const model = parse(path, bytes);
  return { path, bytes, model, read: (tensor) => readTensor(tensor, externalBytes(tensor, dirname(path))) };
}

function readBytes(path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > LIMIT) {
      throw invalid('The file is longer than 2 GiB, which no ONNX file can be.', {
        where: path,
        received: `${size} bytes`,
        next: 'export with external data, so that the weights lie in a file of their own',
      });
    }
    return readFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw invalid('The model cannot be read.', {
      where: path,
      received: cause.message,
      next: 'check the path',
      cause,
    });
  }
}

function parse(path: string, bytes: Uint8Array): ModelProto {
  const expected = 'a complete ONNX file';
  try {
    // What is not part of the schema (documentation, say) is not worth its memory.
    const model = fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
    if (model.graph && model.graph.output.length > 0) return model;
    throw invalid('The file holds no graph.', { where: path, expected });
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'RobustError') throw cause;
    const received = `${bytes.length} bytes that do not parse: ${cause instanceof Error ? cause.message : String(cause)}`;
    const next = 'the file is incomplete or no ONNX file: copy or export it again';
    throw invalid('The file cannot be parsed.', { where: path, expected, received, next, cause });
  }
}

/** The bytes of a tensor that lies in another file; nothing for one that lies in the model. */
function externalBytes(tensor: TensorProto, folder: string): Uint8Array | undefined {
  if (tensor.dataLocation !== 1) return undefined;
  const entry = (key: string) => tensor.externalData.find((item) => item.key === key)?.value;
  const where = `tensor '${tensor.name}'`;
  const file = insidePath(folder, entry('location') ?? '', where);
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const offset = Number(entry('offset') ?? 0);
    const length = Number(entry('length') ?? size - offset);
    if (!(offset >= 0 && length >= 0 && length <= LIMIT && offset + length <= size)) {
      throw invalid('The file with the weights is too short, or the model wants bytes that cannot be.', {
        where: `${where}, ${file}`,
        expected: `${length} bytes from byte ${offset}`,
        received: `${size} bytes in all`,
        next: 'copy the model together with its data file again',
      });
    }
    const bytes = new Uint8Array(length);
    readSync(descriptor, bytes, 0, length, offset);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
