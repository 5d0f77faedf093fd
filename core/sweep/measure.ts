import type { Resolved } from '../config/types.ts';
import { IGNORED } from '../dataset.ts';
import type { Hooks } from '../hooks.ts';
import { resample, resizeMask } from '../images/resize.ts';
import type { Confusion, MaskPair, Row, Sample } from '../vocabulary.ts';
import type { Prediction } from './predict.ts';

/** The truth of one image, class by class; `ignored` marks the pixels that count nowhere, where there are some. */
interface Truth {
  readonly masks: readonly Uint8Array[];
  readonly ignored?: Uint8Array;
}

/** Measures what is predicted for the images of one batch. The masks of their truth are made once. */
export class BatchMetrics {
  /** What the metrics need beside the masks. */
  readonly needs: { readonly probability: boolean; readonly goal: boolean };
  readonly #metrics: readonly Resolved<'metric'>[];
  readonly #hooks: Hooks;
  readonly #samples: readonly Sample[];
  readonly #classes: readonly string[];
  readonly #truths: readonly Truth[];

  constructor(
    metrics: readonly Resolved<'metric'>[],
    hooks: Hooks,
    samples: readonly Sample[],
    classes: readonly string[],
  ) {
    const some = (need: 'probability' | 'goal') => metrics.some(({ plugin }) => plugin.needs?.[need]);
    this.needs = { probability: some('probability'), goal: some('goal') };
    this.#metrics = metrics;
    this.#hooks = hooks;
    this.#samples = samples;
    this.#classes = classes;
    this.#truths = samples.map(({ mask, reference = mask }) => truthOf(reference.data, classes.length));
  }

  /**
   * Values and counts of the image at an index.
   *
   * @param goals classes of all images of the batch that a targeted attack wants
   */
  measure(index: number, prediction: Prediction, goals?: Int32Array): Pick<Row, 'values' | 'confusion'> {
    const pairs = this.#pairs(index, prediction, goals);
    const values = this.#metrics.flatMap(({ plugin, options }) => {
      const hook = this.#hooks.metric.for(plugin.name);
      const perClass = pairs.map((pair) => hook.call(NaN, pair, options));
      return measures(plugin.name, this.#classes).map(({ name, pick }) => [name, classMean(pick(perClass))]);
    });
    return { values: Object.fromEntries(values), confusion: pairs.map((pair) => pair.confusion) };
  }

  /** One pair of masks for each foreground class. */
  #pairs(index: number, { labels, probabilities }: Prediction, goals?: Int32Array): MaskPair[] {
    const { mask, reference = mask, spacing } = this.#samples[index]!;
    const [rows, columns] = reference.shape;
    const apart = reference !== mask;
    const { masks: truths, ignored } = this.#truths[index]!;
    const [from, to] = [index * mask.data.length, (index + 1) * mask.data.length];
    const scored = (batch: Uint8Array | Int32Array) => {
      const data = Uint8Array.from(batch.subarray(from, to));
      const sized = apart ? resizeMask({ shape: mask.shape, data }, rows, columns).data : data;
      return classMasks(sized, this.#classes.length, ignored);
    };
    const predictions = scored(labels);
    const goal = goals && scored(goals);
    const probable = (k: number) => {
      const found = probabilityOf(k, probabilities!, labels.length, from, to);
      return apart ? resample(found, [...mask.shape, 1], rows, columns) : found;
    };
    return truths.map((truth, k) => ({
      shape: reference.shape,
      prediction: predictions[k]!,
      truth,
      confusion: confusion(predictions[k]!, truth, ignored),
      ...(ignored && { ignored }),
      ...(spacing && { spacing }),
      ...(probabilities && { probability: probable(k + 1) }),
      ...(goal && { goal: goal[k]! }),
    }));
  }
}

function truthOf(labels: ArrayLike<number>, classes: number): Truth {
  const masks = classMasks(labels, classes);
  const ignored = new Uint8Array(labels.length);
  for (let i = 0; i < ignored.length; i++) ignored[i] = Number(labels[i] === IGNORED);
  return ignored.includes(1) ? { masks, ignored } : { masks };
}

/** One 0/1 mask for each foreground class; empty where pixels are ignored. */
function classMasks(labels: ArrayLike<number>, classes: number, ignored?: Uint8Array): Uint8Array[] {
  return Array.from({ length: classes - 1 }, (_, index) => {
    const mask = new Uint8Array(labels.length);
    for (let i = 0; i < mask.length; i++) mask[i] = Number(labels[i] === index + 1);
    ignored?.forEach((out, i) => (mask[i]! &= 1 - out));
    return mask;
  });
}

/** The probability of one class in some pixels of a batch; a model with one channel gives that of the foreground. */
function probabilityOf(
  wanted: number,
  probabilities: Float32Array,
  pixels: number,
  from: number,
  to: number,
): Float32Array {
  const channels = probabilities.length / pixels;
  if (channels === 1) return probabilities.subarray(from, to);
  const found = new Float32Array(to - from);
  for (let i = from; i < to; i++) found[i - from] = probabilities[i * channels + wanted]!;
  return found;
}

/** Counts of each foreground class, from the class of every pixel. */
export function confusions(
  labels: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes: number,
): Confusion[] {
  const { masks, ignored } = truthOf(truth, classes);
  return classMasks(labels, classes, ignored).map((mask, k) => confusion(mask, masks[k]!, ignored));
}

/** Counts of two 0/1 masks, both empty where pixels are ignored. */
export function confusion(prediction: Uint8Array, truth: Uint8Array, ignored?: Uint8Array): Confusion {
  const pixels = truth.length - (ignored?.reduce((sum, out) => sum + out, 0) ?? 0);
  let tp = 0;
  let predicted = 0;
  let actual = 0;
  for (let i = 0; i < truth.length; i++) {
    tp += prediction[i]! & truth[i]!;
    predicted += prediction[i]!;
    actual += truth[i]!;
  }
  return { tp, fp: predicted - tp, fn: actual - tp, tn: pixels - predicted - actual + tp };
}

/** Sum of counts, class by class. */
export function addConfusions(a: readonly Confusion[], b: readonly Confusion[]): Confusion[] {
  return a.map((one, k) => {
    const other = b[k]!;
    return { tp: one.tp + other.tp, fp: one.fp + other.fp, fn: one.fn + other.fn, tn: one.tn + other.tn };
  });
}

/** A value that a metric gives, and the foreground classes that it is the mean of. */
export interface Measure {
  readonly name: string;
  pick<T>(perClass: readonly T[]): readonly T[];
}

/** The mean over foreground classes, under the name of the metric; and each class, where there are several. */
export function measures(metric: string, classes: readonly string[]): Measure[] {
  const [, ...foreground] = classes;
  const mean: Measure = { name: metric, pick: (perClass) => perClass };
  if (foreground.length === 1) return [mean];
  const single = (name: string, k: number): Measure => ({
    name: `${metric}:${name}`,
    pick: (perClass) => perClass.slice(k, k + 1),
  });
  return [mean, ...foreground.map(single)];
}

/** Mean over classes; undefined (null) as soon as one class is. */
export function classMean(values: readonly number[]): number | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Number.isNaN(mean) ? null : mean;
}
