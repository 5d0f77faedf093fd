import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { insidePath } from '../foreign/inside.ts';
import { invalid } from '../foreign/failure.ts';
import { arrayOf, shapeOf, type Numbers } from './numbers.ts';
import {
  BundleEntryProtoSchema,
  BundleHeaderProtoSchema,
  type BundleEntryProto,
} from './proto/saved_model_pb.ts';

/** The values of variables, by the names that they were saved under. */
export type Variables = ReadonlyMap<string, () => Numbers>;

/**
 * Reads the index of a checkpoint, `PREFIX.index`; values are read from `PREFIX.data-NNNNN-of-NNNNN` when they are asked
 * for. The index is a table of sorted strings as LevelDB writes them, here never compressed.
 *
 * @throws RobustError MODEL_FILE_INVALID
 */
export function readBundle(prefix: string): Variables {
  const path = `${prefix}.index`;
  if (!existsSync(path))
    throw invalid('The values of the variables are missing.', {
      where: path,
      next: "export the model again, and keep the folder 'variables' beside saved_model.pb",
    });
  const entries = tableOf(readFileSync(path), path);
  const header = entries.find(([key]) => key === '');
  if (!header) throw damaged(path, 'no header');
  const { numShards, endianness } = fromBinary(BundleHeaderProtoSchema, header[1]);
  if (endianness !== 0) throw damaged(path, 'numbers of another byte order');
  const shards = new Map<number, Buffer>();
  const shardOf = (id: number) => {
    const digits = (value: number) => String(value).padStart(5, '0');
    const name = `${basename(prefix)}.data-${digits(id)}-of-${digits(numShards)}`;
    const bytes = shards.get(id) ?? readFileSync(insidePath(dirname(prefix), name, path));
    shards.set(id, bytes);
    return bytes;
  };
  return new Map(
    entries
      .filter(([key]) => key !== '')
      .map(([key, value]) => [key, () => valuesOf(key, fromBinary(BundleEntryProtoSchema, value), shardOf)]),
  );
}

function valuesOf(
  key: string,
  { dtype, shape, shardId, offset, size }: BundleEntryProto,
  shardOf: (id: number) => Buffer,
): Numbers {
  const bytes = shardOf(shardId).subarray(Number(offset), Number(offset + size));
  if (bytes.length !== Number(size)) throw damaged(key, `${bytes.length} of ${size} bytes`);
  return arrayOf(dtype, shapeOf(shape), bytes, key);
}

type Entry = readonly [key: string, value: Uint8Array];

/** The last bytes of every table. */
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
const FOOTER = 48;

function tableOf(file: Buffer, path: string): Entry[] {
  if (file.length < FOOTER || !file.subarray(-8).equals(MAGIC))
    throw damaged(path, `${file.length} bytes without the mark at their end`);
  try {
    const footer = new Reader(file.subarray(-FOOTER));
    footer.handle();
    return block(file, footer.handle()).flatMap(([, handle]) => block(file, new Reader(handle).handle()));
  } catch (cause) {
    if (cause instanceof RangeError) throw damaged(path, cause.message);
    throw cause;
  }
}

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** Entries share the beginning of their keys; the places where they begin anew come last and are not needed. */
function block(file: Buffer, { offset, size }: Handle): Entry[] {
  const bytes = file.subarray(offset, offset + size);
  if (bytes.length !== size || size < 4) throw new RangeError('a block ends early');
  if (file[offset + size] !== 0) throw new RangeError('a block is compressed');
  const reader = new Reader(bytes);
  const end = size - 4 - 4 * bytes.readUInt32LE(size - 4);
  const entries: Entry[] = [];
  let last: Uint8Array = new Uint8Array();
  while (reader.at < end) {
    const [shared, own, length] = [reader.varint(), reader.varint(), reader.varint()];
    const key = Buffer.concat([last.subarray(0, shared), reader.take(own)]);
    entries.push([key.toString('utf8'), reader.take(length)]);
    last = key;
  }
  return entries;
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined || scale > 2 ** 49) throw new RangeError('a number ends early');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.at, (this.at += length));
    if (taken.length !== length) throw new RangeError('an entry ends early');
    return taken;
  }

  handle(): Handle {
    return { offset: this.varint(), size: this.varint() };
  }
}

function damaged(where: string, received: string) {
  return invalid('The values of the variables cannot be read.', { where, received });
}
