import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { lossGradient } from '../gradients/model.ts';
import { writeAtomically } from '../store/output.ts';
import type { SubjectSweep } from '../sweep/sweep.ts';
import type { Dataset, Segmenter } from '../vocabulary.ts';
import { isOutOfMemory, peakOf } from './usage.ts';

/** Engines gain nothing beyond, and the last batch is padded. */
const LARGEST = 16;
/** Capturing a step holds its results twice; what allocators keep varies. */
const MARGIN = 1.5;

/** A sweep whose batch size may be left to the memory there is. */
export interface BatchRequest extends Omit<SubjectSweep, 'batch'> {
  readonly batch: number | 'auto';
  /** Bytes that the process may hold; null takes half of what the system has left. */
  readonly memoryLimit: number | null;
  /** Keeps the choice, so that a resumed run computes the same bits. */
  readonly file: string;
}

/**
 * Runs a sweep with the batch size that it names, or for `auto` with one that fits: measured, or chosen by an earlier
 * process. When the engine runs out of memory all the same, the size is halved and the sweep begins again.
 *
 * @returns What the sweep returns, and the size where it was chosen.
 */
export async function withBatch<T>(
  request: BatchRequest,
  run: (sweep: SubjectSweep) => Promise<T>,
): Promise<{ result: T; chosen?: number }> {
  const { batch, file, segmenter, dataset, ctx } = request;
  if (batch !== 'auto') return { result: await run({ ...request, batch }) };
  const key = [segmenter.fingerprint, dataset.height, dataset.width].join(' ');
  const known = request.fresh ? undefined : await remembered(file, key);
  for (let size = known ?? (await measured(request)); ; size = Math.floor(size / 2)) {
    await writeAtomically(file, JSON.stringify({ key, batch: size }));
    ctx.log.debug(`${size} images per engine call`);
    try {
      return { result: await run({ ...request, batch: size }), chosen: size };
    } catch (error) {
      if (size === 1 || !isOutOfMemory(error)) throw error;
      ctx.log.warn(`the engine ran out of memory with ${size} images per call: goes on with half as many`);
    }
  }
}

async function remembered(file: string, key: string): Promise<number | undefined> {
  try {
    const found = JSON.parse(await readFile(file, 'utf8')) as { key: string; batch: number };
    return found.key === key ? found.batch : undefined;
  } catch {
    return undefined;
  }
}

/** The peaks of gradients of one and of two images tell what each further image takes. */
async function measured({ segmenter, dataset, images, memoryLimit }: BatchRequest): Promise<number> {
  const gradient = (size: number) => peakOf(() => computeGradient(segmenter, dataset, size));
  // Starts threads and fills caches, which is not to be counted.
  await gradient(1);
  const [one, two] = [await gradient(1), await gradient(2)];
  const allowed = memoryLimit ?? (freemem() + process.memoryUsage().rss) / 2;
  return fitting({ one, two }, allowed, Math.min(LARGEST, images));
}

/** The largest power of two that stays within the limit, from the peaks in bytes of one and of two images. */
export function fitting(
  { one, two }: { readonly one: number; readonly two: number },
  limit: number,
  largest: number,
): number {
  const each = MARGIN * Math.max(0, two - one);
  let batch = 1;
  while (batch < largest && one + (2 * batch - 1) * each <= limit) batch *= 2;
  return batch;
}

async function computeGradient(segmenter: Segmenter, dataset: Dataset, size: number): Promise<void> {
  const { height, width, channels } = dataset;
  const result = tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([size, height, width, channels]);
    const sum = (logits: Tensor4D) => tf.sum(logits) as tf.Scalar;
    return segmenter.gradient === false ? segmenter.logits(x) : lossGradient(segmenter, x, sum);
  });
  await result.data();
  result.dispose();
}
