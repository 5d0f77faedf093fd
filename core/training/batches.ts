import type { TrainingConfig } from '../config/types.ts';
import type { Context, Dataset, Random } from '../vocabulary.ts';
import { augment, type Pair } from './augment.ts';
import { cacheSamples, type SampleSource } from './samples.ts';

/** The images `[N,H,W,C]` and class indices `[N,H,W]` of one step. */
export interface Batch {
  readonly images: Float32Array;
  readonly masks: Int32Array;
}

/** Delivers the training samples in batches of one size. */
export interface BatchSource {
  /** Steps of an epoch. */
  readonly steps: number;
  /** The shuffled, augmented batches of an epoch (from 0): a pure function of seed and epoch. */
  epoch(epoch: number): AsyncGenerator<Batch>;
  /** Images that are trained on, and those that are held out. */
  readonly trained: number;
  readonly held: number;
  /** The first trained images as they are, in whole batches; for monitoring. */
  plain(batches: number): AsyncGenerator<Batch>;
  /** The held-out images as they are; the last batch is filled from the first one. */
  heldOut(): AsyncGenerator<Batch>;
}

export function makeBatches(
  dataset: Dataset,
  config: TrainingConfig,
  random: Context['random'],
): BatchSource {
  const samples = cacheSamples(dataset);
  const { trained, held } = holdOut(samples.ids.length, config.validation, random('validation'));
  const inBatches = (
    order: readonly number[],
    change: (index: number, pair: Pair) => Pair,
    limit?: number,
  ) => {
    const chosen = fillBatches(order, config.batch).slice(0, limit);
    return prefetch(chosen.map((indices) => () => collect(samples, indices, change)));
  };
  const asIs = (_index: number, pair: Pair) => pair;
  return {
    steps: Math.ceil(trained.length / config.batch),
    trained: trained.length,
    held: held.length,
    epoch(epoch) {
      const order = shuffle(trained.length, random('shuffle', epoch)).map((at) => trained[at]!);
      const change = (index: number, pair: Pair) =>
        augment(pair, config, dataset.domain, random('augment', epoch, samples.ids[index]!));
      return inBatches(order, change);
    },
    plain: (batches) => inBatches(trained, asIs, batches),
    heldOut: () => inBatches(held, asIs),
  };
}

/** Divides `total` images at random, both parts in their order; of several images one at least is trained on. */
export function holdOut(
  total: number,
  part: number,
  random: Random,
): { trained: readonly number[]; held: readonly number[] } {
  const count = part === 0 ? 0 : Math.min(total - 1, Math.max(1, Math.round(part * total)));
  const chosen = new Set(shuffle(total, random).slice(0, count));
  const all = Array.from({ length: total }, (_, index) => index);
  return {
    trained: all.filter((index) => !chosen.has(index)),
    held: all.filter((index) => chosen.has(index)),
  };
}

/** The numbers below `n` in random order (Fisher and Yates). */
export function shuffle(n: number, random: Random): number[] {
  const order = Array.from({ length: n }, (_, index) => index);
  for (let last = n - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/**
 * Cuts an order into batches of exactly `size`; the last one is filled up from the start of the order. Dropping it
 * would train on nothing where there are fewer samples than a batch holds, and a smaller batch would change the
 * arithmetic of batch normalisation and need a second compiled step.
 */
export function fillBatches(order: readonly number[], size: number): number[][] {
  const count = Math.ceil(order.length / size);
  return Array.from({ length: count }, (_, batch) =>
    Array.from({ length: size }, (_, at) => order[(batch * size + at) % order.length]!),
  );
}

async function collect(
  samples: SampleSource,
  indices: readonly number[],
  change: (index: number, pair: Pair) => Pair,
): Promise<Batch> {
  const pairs = await Promise.all(indices.map((index) => samples.get(index)));
  const changed = pairs.map((pair, at) => change(indices[at]!, pair));
  const [pixels, points] = [changed[0]!.image.data.length, changed[0]!.mask.data.length];
  const images = new Float32Array(pixels * indices.length);
  const masks = new Int32Array(points * indices.length);
  changed.forEach(({ image, mask }, at) => {
    images.set(image.data, at * pixels);
    masks.set(mask.data, at * points);
  });
  return { images, masks };
}

/** Starts each job one ahead of its use, so that decoding goes on in other threads while the engine works. */
async function* prefetch(jobs: readonly (() => Promise<Batch>)[]): AsyncGenerator<Batch> {
  const start = (at: number): Promise<Batch> | undefined => {
    const job = jobs[at]?.();
    // Nobody awaits the job ahead once training has stopped early.
    job?.catch(() => undefined);
    return job;
  };
  let ahead = start(0);
  for (let at = 0; at < jobs.length; at++) {
    const current = await ahead!;
    ahead = start(at + 1);
    yield current;
  }
}
