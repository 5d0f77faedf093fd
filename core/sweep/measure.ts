import type { Resolved } from '../config/types.ts';
import type { Hooks } from '../hooks.ts';
import type { Confusion, MaskPair, Row, Sample } from '../vocabulary.ts';
import type { Prediction } from './predict.ts';

/** Measures what is predicted for the images of one batch. The masks of their truth are made once. */
export class BatchMetrics {
  /** What the metrics need beside the masks. */
  readonly needs: { readonly probability: boolean; readonly goal: boolean };
  readonly #metrics: readonly Resolved<'metric'>[];
  readonly #hooks: Hooks;
  readonly #samples: readonly Sample[];
  readonly #classes: number;
  readonly #truths: readonly (readonly Uint8Array[])[];

  constructor(
    metrics: readonly Resolved<'metric'>[],
    hooks: Hooks,
    samples: readonly Sample[],
    classes: number,
  ) {
    const some = (need: 'probability' | 'goal') => metrics.some(({ plugin }) => plugin.needs?.[need]);
    this.needs = { probability: some('probability'), goal: some('goal') };
    this.#metrics = metrics;
    this.#hooks = hooks;
    this.#samples = samples;
    this.#classes = classes;
    this.#truths = samples.map(({ mask }) => classMasks(mask.data, classes));
  }

  /**
   * Values and counts of the image at an index.
   *
   * @param goals classes of all images of the batch that a targeted attack wants
   */
  measure(index: number, prediction: Prediction, goals?: Int32Array): Pick<Row, 'values' | 'confusion'> {
    const pairs = this.#pairs(index, prediction, goals);
    const values = this.#metrics.map(({ plugin, options }) => {
      const hook = this.#hooks.metric.for(plugin.name);
      return [plugin.name, classMean(pairs.map((pair) => hook.call(NaN, pair, options)))] as const;
    });
    return { values: Object.fromEntries(values), confusion: pairs.map((pair) => pair.confusion) };
  }

  /** One pair of masks for each foreground class. */
  #pairs(index: number, { labels, probabilities }: Prediction, goals?: Int32Array): MaskPair[] {
    const { mask, spacing } = this.#samples[index]!;
    const [from, to] = [index * mask.data.length, (index + 1) * mask.data.length];
    const predictions = classMasks(labels.subarray(from, to), this.#classes);
    const goal = goals && classMasks(goals.subarray(from, to), this.#classes);
    return this.#truths[index]!.map((truth, k) => ({
      shape: mask.shape,
      prediction: predictions[k]!,
      truth,
      confusion: confusion(predictions[k]!, truth),
      ...(spacing && { spacing }),
      ...(probabilities && { probability: probabilityOf(k + 1, probabilities, labels.length, from, to) }),
      ...(goal && { goal: goal[k]! }),
    }));
  }
}

/** One 0/1 mask for each foreground class. */
function classMasks(labels: ArrayLike<number>, classes: number): Uint8Array[] {
  return Array.from({ length: classes - 1 }, (_, index) => {
    const mask = new Uint8Array(labels.length);
    for (let i = 0; i < mask.length; i++) mask[i] = Number(labels[i] === index + 1);
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
  const truths = classMasks(truth, classes);
  return classMasks(labels, classes).map((mask, k) => confusion(mask, truths[k]!));
}

/** Counts of two 0/1 masks. */
export function confusion(prediction: Uint8Array, truth: Uint8Array): Confusion {
  let tp = 0;
  let predicted = 0;
  let actual = 0;
  for (let i = 0; i < truth.length; i++) {
    tp += prediction[i]! & truth[i]!;
    predicted += prediction[i]!;
    actual += truth[i]!;
  }
  return { tp, fp: predicted - tp, fn: actual - tp, tn: truth.length - predicted - actual + tp };
}

/** Sum of counts, class by class. */
export function addConfusions(a: readonly Confusion[], b: readonly Confusion[]): Confusion[] {
  return a.map((one, k) => {
    const other = b[k]!;
    return { tp: one.tp + other.tp, fp: one.fp + other.fp, fn: one.fn + other.fn, tn: one.tn + other.tn };
  });
}

/** Mean over classes; undefined (null) as soon as one class is. */
export function classMean(values: readonly number[]): number | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Number.isNaN(mean) ? null : mean;
}
