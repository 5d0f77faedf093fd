import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RobustError } from '../errors/index.ts';
import type { TrainingEpoch } from '../vocabulary.ts';
import type { Vectors } from './learner.ts';
import type { PlateauState } from './schedule.ts';

/** What decides a training's outcome, by name; a checkpoint belongs to one set of these. */
export type TrainingKey = Readonly<Record<string, unknown>>;

/** Everything that a training needs to go on as if it had never stopped. */
export interface Checkpoint {
  readonly backend: string;
  readonly plateau: PlateauState;
  readonly history: readonly TrainingEpoch[];
  readonly vectors: Vectors;
}

/** What a folder holds: a checkpoint of this training, or why there is none to go on from. */
export type Found = { readonly checkpoint: Checkpoint } | { readonly missing: string | null };

const FORMAT = 'robust-checkpoint/1';
const FILE = 'checkpoint.safetensors';

interface Header {
  readonly [vector: string]: {
    readonly dtype: 'F32';
    readonly shape: [number];
    readonly data_offsets: [number, number];
  };
}

/**
 * Replaces the checkpoint of a folder at once: a process that dies meanwhile leaves the old one. The file is in the
 * safetensors format, with the rest of the state in its metadata.
 *
 * @throws RobustError OUTPUT_NOT_WRITABLE
 */
export async function saveCheckpoint(dir: string, key: TrainingKey, checkpoint: Checkpoint): Promise<void> {
  const path = join(dir, FILE);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(temporary, encode(key, checkpoint), { flush: true });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new RobustError('OUTPUT_NOT_WRITABLE', {
      message: 'A training checkpoint cannot be written.',
      where: dir,
      received: cause instanceof Error ? cause.message : String(cause),
      next: 'free space there, or name a folder that can be written',
      cause,
    });
  }
}

/** Looks for a checkpoint of the training with this key; `missing` says why one that is there cannot be used. */
export async function findCheckpoint(dir: string, key: TrainingKey): Promise<Found> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(dir, FILE));
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    return { missing: absent ? null : `cannot be read (${(cause as Error).message})` };
  }
  try {
    const { key: other, ...checkpoint } = decode(bytes);
    const changed = differences(other, key);
    return changed.length === 0
      ? { checkpoint }
      : { missing: `is of another training (other ${changed.join(', ')})` };
  } catch (cause) {
    return { missing: `is damaged (${(cause as Error).message})` };
  }
}

function differences(a: TrainingKey, b: TrainingKey): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}

function encode(key: TrainingKey, { vectors, ...state }: Checkpoint): Buffer[] {
  const parts = Object.values(vectors).map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength));
  let offset = 0;
  const entries = Object.entries(vectors).map(([name, { length, byteLength }]): [string, Header[string]] => {
    const data_offsets: [number, number] = [offset, (offset += byteLength)];
    return [name, { dtype: 'F32', shape: [length], data_offsets }];
  });
  const text = JSON.stringify({ key, ...state });
  const metadata = { format: FORMAT, sha256: digest(text, parts), state: text };
  const json = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  return [header, ...parts];
}

function decode(bytes: Buffer): Checkpoint & { key: TrainingKey } {
  const start = bytes.length < 8 ? NaN : 8 + Number(bytes.readBigUInt64LE());
  if (!(start <= bytes.length)) throw new Error('it is truncated');
  const { __metadata__: metadata, ...header } = JSON.parse(bytes.toString('utf8', 8, start)) as {
    __metadata__?: { format?: string; sha256?: string; state?: string };
  } & Header;
  if (metadata?.format !== FORMAT || metadata.state === undefined) throw new Error(`it is not a ${FORMAT}`);
  const data = bytes.subarray(start);
  if (metadata.sha256 !== digest(metadata.state, [data])) throw new Error('its checksum is wrong');
  const vectors = Object.entries(header).map(
    ([
      name,
      {
        data_offsets: [from, to],
      },
    ]): [string, Float32Array] => [name, new Float32Array(new Uint8Array(data.subarray(from, to)).buffer)],
  );
  const state = JSON.parse(metadata.state) as Omit<Checkpoint, 'vectors'> & { key: TrainingKey };
  return { ...state, vectors: Object.fromEntries(vectors) };
}

function digest(state: string, parts: readonly Buffer[]): string {
  const hash = createHash('sha256').update(state);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
