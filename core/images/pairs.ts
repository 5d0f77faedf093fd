import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RobustError } from '../errors/index.ts';
import type { Context, Dataset, IntensityDomain, Sample, Split } from '../vocabulary.ts';
import { readEncoded, readHeader } from './decode.ts';
import type { Pair } from './files.ts';
import { readImage, readMask } from './read.ts';
import { quantise, resizeMask } from './resize.ts';

/** The pairs of a data set. Training pairs may be absent: a finished model needs none. */
export interface PairSplits {
  readonly train: readonly Pair[];
  readonly test: readonly Pair[];
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

/** How files become samples. */
export interface PairFormat {
  /** Rows and columns of every sample: images are stretched to a square. */
  readonly size: number;
  readonly channels: 1 | 3;
  /** Grey levels of a mask file above it are foreground. */
  readonly threshold: number;
}

/** A pair with hashes of its two files. */
interface HashedPair extends Pair {
  readonly imageHash: string;
  readonly maskHash: string;
}

/** Part of every key: to be raised whenever decoding or resizing gives other values. */
const VERSION = 1;

const DOMAIN: IntensityDomain = { low: 0, high: 255, step: 1 };

/**
 * A data set of image and mask files. Every file is read, hashed and its header checked now; decoding waits until
 * `get`. Samples are quantised to whole grey levels and kept as bytes in the cache folder under a key made of the
 * two file hashes and the format, so that later epochs and later runs decode nothing.
 *
 * The fingerprint hashes ids, file contents and format: it is the same wherever the files lie and whenever they
 * were written, and differs when any byte of them does.
 *
 * Errors: DATASET_EMPTY, MASK_SIZE, IMAGE_MISSING, MASK_MISSING, IMAGE_UNREADABLE, IMAGE_TOO_LARGE; MASK_VALUES on `get`.
 */
export async function openPairs(
  splits: PairSplits,
  format: PairFormat,
  ctx: Pick<Context, 'cacheDir' | 'log' | 'signal'>,
): Promise<Dataset> {
  if (splits.test.length === 0) throw empty(splits.train.length);
  const inspect = (pairs: readonly Pair[]) => mapInTurns(pairs, (pair) => inspectPair(pair, ctx.signal));
  const train = await inspect(splits.train);
  const test = await inspect(splits.test);
  const identity = (pairs: readonly HashedPair[]) =>
    pairs.map((pair) => [pair.id, pair.imageHash, pair.maskHash]);
  return {
    height: format.size,
    width: format.size,
    channels: format.channels,
    domain: DOMAIN,
    classes: splits.classes,
    train: splitOf(train, format, ctx),
    test: splitOf(test, format, ctx),
    fingerprint: hash(
      JSON.stringify([VERSION, formatKey(format), splits.classes, identity(train), identity(test)]),
    ),
    notes: [...splits.notes, ...sharedImages(train, test)],
  };
}

/** At most this many files are open at once. */
const TURNS = 8;

async function mapInTurns<T, R>(items: readonly T[], job: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += TURNS) {
    results.push(...(await Promise.all(items.slice(at, at + TURNS).map(job))));
  }
  return results;
}

async function inspectPair(pair: Pair, signal: AbortSignal): Promise<HashedPair> {
  signal.throwIfAborted();
  const [image, mask] = await Promise.all([readEncoded(pair.image), readEncoded(pair.mask, 'MASK_MISSING')]);
  const [imageSize, maskSize] = await Promise.all([readHeader(image), readHeader(mask)]);
  if (imageSize.height !== maskSize.height || imageSize.width !== maskSize.width) {
    throw new RobustError('MASK_SIZE', {
      message: 'The mask has another size than its image.',
      where: pair.mask,
      expected: `${imageSize.width} x ${imageSize.height} pixels, as ${pair.image}`,
      received: `${maskSize.width} x ${maskSize.height} pixels`,
      next: 'export the mask again at the size of the image, or check that the two belong together',
    });
  }
  return { ...pair, imageHash: hash(image.bytes), maskHash: hash(mask.bytes) };
}

function splitOf(
  pairs: readonly HashedPair[],
  format: PairFormat,
  ctx: Pick<Context, 'cacheDir' | 'log'>,
): Split {
  return {
    ids: pairs.map(({ id }) => id),
    async get(index) {
      const pair = pairs[index];
      if (!pair) throw new RangeError(`there is no sample ${index} among ${pairs.length}`);
      return unpack(pair.id, await packed(pair, format, ctx), format);
    },
  };
}

/** A sample as bytes: its grey levels, then its classes. */
async function packed(
  pair: HashedPair,
  format: PairFormat,
  { cacheDir, log }: Pick<Context, 'cacheDir' | 'log'>,
): Promise<Uint8Array> {
  const key = hash(JSON.stringify([VERSION, formatKey(format), pair.imageHash, pair.maskHash]));
  const path = join(cacheDir, 'samples', `${key}.bin`);
  const cached = await readFile(path).catch(() => undefined);
  if (cached?.length === format.size ** 2 * (format.channels + 1)) return cached;
  const bytes = await pack(pair, format);
  // A cache that cannot be written costs time, not the run.
  await store(path, bytes).catch((error: unknown) => log.debug(`sample not cached: ${String(error)}`));
  return bytes;
}

async function pack(pair: Pair, { size, channels, threshold }: PairFormat): Promise<Uint8Array> {
  const image = quantise(await readImage(pair.image, { channels, size }), DOMAIN);
  const mask = resizeMask(await readMask(pair.mask, { threshold }), size, size);
  const bytes = new Uint8Array(image.data.length + mask.data.length);
  bytes.set(image.data);
  bytes.set(mask.data, image.data.length);
  return bytes;
}

function unpack(id: string, bytes: Uint8Array, { size, channels }: PairFormat): Sample {
  const end = size * size * channels;
  return {
    id,
    image: { shape: [size, size, channels], data: Float32Array.from(bytes.subarray(0, end)) },
    mask: { shape: [size, size], data: Uint8Array.from(bytes.subarray(end)) },
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
function sharedImages(train: readonly HashedPair[], test: readonly HashedPair[]): string[] {
  const seen = new Set(train.map(({ imageHash }) => imageHash));
  const ids = test.filter(({ imageHash }) => seen.has(imageHash)).map(({ id }) => id);
  if (ids.length === 0) return [];
  return [`${ids.length} test images are also training images: ${ids.slice(0, 5).join(', ')}`];
}

function formatKey({ size, channels, threshold }: PairFormat): readonly number[] {
  return [size, channels, threshold];
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
