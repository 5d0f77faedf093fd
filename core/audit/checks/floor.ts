import type { Resolved } from '../../config/types.ts';
import type { Confusion, Mask, Row, Sample, Split } from '../../vocabulary.ts';
import { notRun, type Finding } from '../check.ts';
import { confusions } from '../../sweep/measure.ts';
import { largest, mean, overlap } from '../scores.ts';
import type { SubjectAudit } from '../subject.ts';
import { show } from './budget.ts';

/** Masks that are read of each split, at most. */
const MASKS = 64;

/**
 * The subject beats a predictor that never looks at the image: the most frequent class of each pixel in the training
 * masks. Such a predictor is perfectly robust (0.835 Dice on the JSRT lungs), so that robustness below it means nothing.
 */
export async function aboveFloor(audit: SubjectAudit): Promise<Finding> {
  const { train, test, classes } = audit.dataset;
  if (train.ids.length === 0) return notRun('There are no training masks to make a prior of.');
  const prior = commonestClass(
    (await spread(train)).map(({ mask }) => mask),
    classes.length,
  );
  const seen = new Map(audit.rowsOf('clean').map((row) => [row.sample, overlap(row.confusion)]));
  const samples = (await spread(test)).filter(({ id }) => seen.has(id));
  if (samples.length === 0) return notRun('None of the images that would be compared was run.');
  const floor = mean(samples.map(({ mask }) => overlap(confusions(prior, mask.data, classes.length))));
  const clean = mean(samples.map(({ id }) => seen.get(id)!));
  const gain = clean - floor;
  return {
    verdict: gain >= 0.05 ? 'pass' : gain >= 0.02 ? 'warn' : 'fail',
    numbers: { images: samples.length, clean, prior: floor },
    message: `The clean score is ${show(clean)}; a prior that sees no image has ${show(floor)}.`,
  };
}

/** The best score of a fixed mask on the audited images: of one class, or the most frequent class of each pixel. */
export async function floorOf({ dataset, samples }: SubjectAudit): Promise<number> {
  const { train, classes, height, width } = dataset;
  const fixed: Uint8Array[] = classes.map((_, k) => new Uint8Array(height * width).fill(k));
  if (train.ids.length > 0) {
    const masks = (await spread(train)).map(({ mask }) => mask);
    fixed.push(commonestClass(masks, classes.length));
  }
  const score = (mask: Uint8Array) =>
    mean(samples.map((sample) => overlap(confusions(mask, sample.mask.data, classes.length))));
  return Math.max(...fixed.map(score));
}

/** At most {@link MASKS} samples, evenly spread. */
function spread({ ids, get }: Split): Promise<Sample[]> {
  const count = Math.min(MASKS, ids.length);
  return Promise.all(Array.from({ length: count }, (_, i) => get(Math.floor((i * ids.length) / count))));
}

/** The most frequent class of every pixel; the lowest at a tie. */
export function commonestClass(masks: readonly Mask[], classes: number): Uint8Array {
  return masks[0]!.data.map((_, pixel) => {
    const counts = new Array<number>(classes).fill(0);
    for (const { data } of masks) if (data[pixel]! < classes) counts[data[pixel]!]!++;
    return counts.indexOf(Math.max(...counts));
  });
}

const PROBES: readonly Confusion[] = [
  { tp: 3, fp: 1, fn: 2, tn: 10 },
  { tp: 1, fp: 0, fn: 4, tn: 7 },
];
const dice = ({ tp, fp, fn }: Confusion) => (2 * tp) / (2 * tp + fp + fn);
const jaccard = ({ tp, fp, fn }: Confusion) => tp / (tp + fp + fn);

/**
 * The metrics fit together: what a metric gives for an image is what it gives for the image's counts, and where one
 * metric is Dice and one Jaccard (told by what they compute), J = D / (2 - D) for each image and, by convexity,
 * mean J >= mean D / (2 - mean D).
 */
export function metricsAgree(audit: SubjectAudit): Finding {
  const counted = audit.metrics.filter(({ plugin }) => plugin.pool);
  if (counted.length === 0) return notRun('No metric is computed from counts.');
  const off = counted.map((metric) => deviation(metric, audit.rows));
  const [d, j] = [dice, jaccard].map(
    (formula) => counted.find((metric) => computes(metric, formula))?.plugin.name,
  );
  const pairs =
    d !== undefined && j !== undefined && audit.dataset.classes.length === 2 ? values(audit.rows, d, j) : [];
  const identity = largest(pairs.map(([a, b]) => Math.abs(b - a / (2 - a))));
  const [meanD, meanJ] = [mean(pairs.map(([a]) => a)), mean(pairs.map(([, b]) => b))];
  const convex = pairs.length === 0 || meanJ >= meanD / (2 - meanD) - 1e-12;
  const most = largest([...off, identity]);
  return {
    verdict: most <= 1e-12 && convex ? 'pass' : 'fail',
    numbers: { images: audit.rows.length, metrics: counted.length, deviation: largest(off), identity },
    message:
      most <= 1e-12 && convex
        ? `${counted.length} metrics agree with the counts of ${audit.rows.length} predictions.`
        : `Metrics part from the counts of their images by up to ${most.toPrecision(3)}.`,
  };
}

function deviation({ plugin, options }: Resolved<'metric'>, rows: readonly Row[]): number {
  return largest(
    rows.map((row) => {
      const expected = mean(row.confusion.map((counts) => plugin.pool!(counts, options)));
      const value = row.values[plugin.name] ?? NaN;
      return Number.isNaN(expected) && Number.isNaN(value) ? 0 : Math.abs(value - expected);
    }),
  );
}

function computes({ plugin, options }: Resolved<'metric'>, formula: (counts: Confusion) => number): boolean {
  return PROBES.every((counts) => Math.abs(plugin.pool!(counts, options) - formula(counts)) < 1e-12);
}

/** Pairs of two metrics where both are defined and the image has a foreground or a prediction. */
function values(rows: readonly Row[], a: string, b: string): [number, number][] {
  return rows
    .filter(({ confusion }) => confusion.every(({ tp, fp, fn }) => tp + fp + fn > 0))
    .map(({ values: one }): [number, number] => [one[a] ?? NaN, one[b] ?? NaN])
    .filter((pair) => !pair.some(Number.isNaN));
}
