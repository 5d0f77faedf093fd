import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RobustError, type ErrorCode } from '../errors/index.ts';
import type { Context, Dataset, Image, IntensityDomain, Mask, Sample, Split } from '../vocabulary.ts';
import { readEncoded } from './decode.ts';
import { few } from './files.ts';
import { quantise, resizeImage, resizeMask } from './resize.ts';

/** A sample that has not been read yet. What a format adds to it is part of its identity, and so holds no paths. */
export interface SampleFiles extends Omit<Sample, 'image' | 'mask'> {
  /** Every file that it is made of; the first is the image, the others belong to the mask. */
  readonly files: readonly string[];
}

/** The samples of a data set. Training samples may be absent: a finished model needs none. */
export interface SampleSplits<F extends SampleFiles> {
  readonly train: readonly F[];
  readonly test: readonly F[];
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

/** What all samples of a data set look like. */
interface SampleShape {
  /** Rows and columns of every sample: images are stretched to a square. */
  readonly size: number;
  readonly channels: 1 | 3;
  /** Whether samples keep their mask at its native size, to be scored against. */
  readonly native?: boolean;
  /** Everything else that decides what a sample looks like; part of fingerprint and cache. */
  readonly key: unknown;
}

/** How files become samples. */
export interface SampleFormat<F extends SampleFiles> extends SampleShape {
  /** Throws where the files cannot be a sample, without decoding them; may say more about the sample. */
  inspect?(sample: F): Promise<F>;
  /** Image (in 0..255) and mask of any size: both are resized to `size`. */
  read(sample: F): Promise<{ readonly image: Image; readonly mask: Mask }>;
}

/** A sample with the hashes of its files. */
interface Hashed<F> {
  readonly sample: F;
  readonly hashes: readonly string[];
}

type DataContext = Pick<Context, 'cacheDir' | 'log' | 'signal'>;

/** Part of every key: to be raised whenever decoding or resizing gives other values. */
const VERSION = 2;

/** Bytes of the rows and columns of a native mask. */
const HEADER = 8;

const DOMAIN: IntensityDomain = { low: 0, high: 255, step: 1 };

/**
 * A data set of files. Every file is hashed and inspected now; decoding waits until `get`. Samples are quantised to
 * whole grey levels and kept as bytes in the cache folder under a key made of the file hashes and the format, so
 * that later epochs and later runs decode nothing.
 *
 * The fingerprint hashes ids, file contents and format: it is the same wherever the files lie and whenever they
 * were written, and differs when any byte of them does.
 *
 * Errors: DATASET_EMPTY, IMAGE_MISSING, MASK_MISSING, and those of the format.
 */
export async function openSamples<F extends SampleFiles>(
  { train, test, classes, notes }: SampleSplits<F>,
  format: SampleFormat<F>,
  ctx: DataContext,
): Promise<Dataset> {
  if (test.length === 0) throw empty(train.length);
  const hashes = new Map<string, Promise<string>>();
  const prepare = (samples: readonly F[]) =>
    mapInTurns(samples, async (sample): Promise<Hashed<F>> => {
      ctx.signal.throwIfAborted();
      const hashed = await Promise.all(sample.files.map((path, i) => hashFile(path, i > 0, hashes)));
      return { sample: (await format.inspect?.(sample)) ?? sample, hashes: hashed };
    });
  const parts = { train: await prepare(train), test: await prepare(test) };
  const { size, channels } = format;
  const identity = [VERSION, formatKey(format), classes, parts.train.map(identify), parts.test.map(identify)];
  return {
    ...{ height: size, width: size, channels, domain: DOMAIN, classes },
    train: splitOf(parts.train, { ...format, native: false }, ctx),
    test: splitOf(parts.test, format, ctx),
    fingerprint: hash(JSON.stringify(identity)),
    notes: [...notes, ...sharedImages(parts)],
  };
}

/** At most this many samples are looked at together. */
const TURNS = 8;

async function mapInTurns<T, R>(items: readonly T[], job: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += TURNS) {
    results.push(...(await Promise.all(items.slice(at, at + TURNS).map(job))));
  }
  return results;
}

/** Several samples may be slices of one file: it is read once. */
function hashFile(path: string, isMask: boolean, known: Map<string, Promise<string>>): Promise<string> {
  const found = known.get(path) ?? hashContent(path, isMask ? 'MASK_MISSING' : 'IMAGE_MISSING');
  known.set(path, found);
  return found;
}

/** A folder, such as a series of slices, is what its files are, whatever their names. */
async function hashContent(path: string, missing: ErrorCode): Promise<string> {
  const names = await readdir(path).catch(() => undefined);
  if (!names) return hash((await readEncoded(path, missing)).bytes);
  const hashes = await mapInTurns(names, (name) => hashContent(join(path, name), missing));
  return hash(hashes.sort().join());
}

/** A sample without its paths. */
function identify({ sample, hashes }: Hashed<SampleFiles>): SampleFiles {
  return { ...sample, files: hashes };
}

function splitOf<F extends SampleFiles>(
  samples: readonly Hashed<F>[],
  format: SampleFormat<F>,
  ctx: DataContext,
): Split {
  return {
    ids: samples.map(({ sample }) => sample.id),
    async get(index) {
      const hashed = samples[index];
      if (!hashed) throw new RangeError(`there is no sample ${index} among ${samples.length}`);
      return unpack(hashed.sample, await packed(hashed, format, ctx), format);
    },
  };
}

/** A sample as bytes: its grey levels, then its classes; then rows, columns and classes of the native mask. */
async function packed<F extends SampleFiles>(
  hashed: Hashed<F>,
  format: SampleFormat<F>,
  { cacheDir, log }: DataContext,
): Promise<Uint8Array> {
  const key = hash(JSON.stringify([VERSION, formatKey(format), identify(hashed)]));
  const path = join(cacheDir, 'samples', `${key}.bin`);
  const cached = await readFile(path).catch(() => undefined);
  if (cached && isWhole(cached, format)) return cached;
  const bytes = pack(await format.read(hashed.sample), format);
  // A cache that cannot be written costs time, not the run.
  await store(path, bytes).catch((error: unknown) => log.debug(`sample not cached: ${String(error)}`));
  return bytes;
}

function isWhole(bytes: Uint8Array, shape: SampleShape): boolean {
  const scaled = shape.size ** 2 * (shape.channels + 1);
  if (!shape.native) return bytes.length === scaled;
  if (bytes.length < scaled + HEADER) return false;
  const {
    shape: [rows, columns],
    data,
  } = nativeMask(bytes, shape)!;
  return data.length === rows * columns;
}

function pack(
  read: { readonly image: Image; readonly mask: Mask },
  { size, native }: SampleShape,
): Uint8Array {
  const fits = ({ shape: [height, width] }: Image | Mask) => height === size && width === size;
  const image = quantise(fits(read.image) ? read.image : resizeImage(read.image, size, size), DOMAIN);
  const mask = fits(read.mask) ? read.mask : resizeMask(read.mask, size, size);
  const header = Buffer.alloc(HEADER);
  read.mask.shape.forEach((side, i) => header.writeUInt32LE(side, 4 * i));
  return Buffer.concat([
    ...[Uint8Array.from(image.data), mask.data],
    ...(native ? [header, read.mask.data] : []),
  ]);
}

function unpack(
  { id, group, spacing, metadata }: SampleFiles,
  bytes: Uint8Array,
  shape: SampleShape,
): Sample {
  const { size, channels } = shape;
  const end = size * size * channels;
  const reference = nativeMask(bytes, shape);
  return {
    id,
    ...(group !== undefined && { group }),
    ...(spacing && { spacing }),
    ...(metadata && { metadata }),
    image: { shape: [size, size, channels], data: Float32Array.from(bytes.subarray(0, end)) },
    mask: { shape: [size, size], data: Uint8Array.from(bytes.subarray(end, end + size * size)) },
    ...(reference && { reference }),
  };
}

/** Where the mask at its native size lies in the bytes of a sample; undefined where none is kept. */
function nativeMask(bytes: Uint8Array, { size, channels, native }: SampleShape): Mask | undefined {
  if (!native) return undefined;
  const start = size * size * (channels + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    shape: [view.getUint32(start, true), view.getUint32(start + 4, true)],
    data: Uint8Array.from(bytes.subarray(start + HEADER)),
  };
}

/** Written under another name first: a run that is killed leaves no half file. */
async function store(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(draft, bytes);
  await rename(draft, path);
}

/** Training on a test image makes its score worthless, so people are told. */
function sharedImages({ train, test }: Record<'train' | 'test', readonly Hashed<SampleFiles>[]>): string[] {
  const content = ({ sample, hashes }: Hashed<SampleFiles>) =>
    JSON.stringify([{ ...sample, id: '', group: '', metadata: {}, files: [] }, hashes[0]]);
  const seen = new Set(train.map(content));
  const ids = test.filter((sample) => seen.has(content(sample))).map(({ sample }) => sample.id);
  if (ids.length === 0) return [];
  return [`${ids.length} test images are also training images: ${few(ids)}`];
}

function formatKey({ size, channels, key, native }: SampleShape): readonly unknown[] {
  return [size, channels, key, ...(native ? ['native'] : [])];
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function empty(training: number): RobustError {
  return new RobustError('DATASET_EMPTY', {
    message: 'The data set has no test images.',
    expected: 'at least one test image with a mask',
    received: `${training} training and 0 test images`,
    next: 'check the folder and the file patterns of the data set',
  });
}
