import type { Scalar, Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Resolved } from '../config/types.ts';
import { StepCache } from '../engine.ts';
import { CountedModel, lossGradient } from '../gradients/model.ts';
import type { AttackSpec } from '../plan/spec.ts';
import type { Iteration } from '../plugin.ts';
import { attackBatch } from '../sweep/attack.ts';
import { toBatch, isQuantised, type Batch } from '../sweep/batches.ts';
import { goalMasks } from '../sweep/goal.ts';
import { confusions } from '../sweep/measure.ts';
import type { SubjectSweep } from '../sweep/sweep.ts';
import type { Confusion, Context, Dataset, Row, Sample } from '../vocabulary.ts';
import { labels, overlap } from './scores.ts';

/** Images that a check looks at, at most: what makes its cost independent of the size of the data set. */
const AUDITED_IMAGES = 8;

/** What a gradient is taken of. */
export interface Objective {
  /** Names it; two objectives of one name compute the same. */
  readonly key: string;
  loss(logits: Tensor4D, masks: { truth: Tensor3D; goal: Tensor3D }): Scalar;
  /** What the loss compares with, from the true masks; it may be the same tensor. */
  goal(truth: Tensor3D): Tensor3D;
}

/** Adversarial images, one entry per audited image, and the gradients that one of them took. */
export interface Attacked {
  readonly images: readonly Float32Array[];
  readonly gradients: number;
}

/** Adversarial images of a subject that was audited before, with the label of the attack. */
export interface Earlier {
  readonly label: string;
  readonly eps: number;
  readonly images: Attacked['images'];
}

/** What only checks of level full use. */
export interface Opponents {
  /** Attacks that are not part of the run and should not reach further. */
  readonly rivals: readonly AttackSpec[];
  /** What the subjects before this one left; this one adds its own. */
  readonly earlier: Earlier[];
}

/**
 * What checks work on: one subject, its rows, and the first test images of the run. Images are plain numbers, one array
 * `[H,W,C]` in intensity units per image; every engine call has the batch size of the run.
 */
export class SubjectAudit {
  readonly subject: string;
  readonly dataset: Dataset;
  readonly ctx: Context;
  readonly attacks: readonly AttackSpec[];
  readonly metrics: readonly Resolved<'metric'>[];
  /** Rows of this subject, of all images of the run. */
  readonly rows: readonly Row[];
  /** The audited samples: the first test images of the run, at most {@link AUDITED_IMAGES}. */
  readonly samples: readonly Sample[];
  /** Their images. */
  readonly clean: readonly Float32Array[];
  readonly rivals: readonly AttackSpec[];
  readonly earlier: readonly Earlier[];
  readonly #sweep: SubjectSweep;
  readonly #steps: StepCache;
  readonly #made = new Map<string, Promise<Attacked>>();

  private constructor(
    sweep: SubjectSweep,
    rows: readonly Row[],
    samples: readonly Sample[],
    { rivals, earlier }: Opponents,
  ) {
    this.subject = sweep.name;
    this.dataset = sweep.dataset;
    this.ctx = sweep.ctx;
    this.attacks = sweep.attacks.filter(({ label }) => rows.some(({ attack }) => attack === label));
    this.metrics = sweep.metrics;
    this.rows = rows;
    this.samples = samples;
    this.clean = samples.map(({ image }) => image.data);
    this.rivals = rivals;
    this.earlier = [...earlier];
    this.#sweep = sweep;
    this.#steps = new StepCache(sweep.engine, sweep.segmenter);
  }

  /** Reads the audited images. */
  static async open(sweep: SubjectSweep, rows: readonly Row[], opponents: Opponents): Promise<SubjectAudit> {
    const count = Math.min(AUDITED_IMAGES, sweep.images);
    const reads = Array.from({ length: count }, (_, index) => sweep.dataset.test.get(index));
    return new SubjectAudit(sweep, rows, await Promise.all(reads), opponents);
  }

  /** Images per engine call. */
  get batch(): number {
    return this.#sweep.batch;
  }

  /** Channels of the logits. */
  get channels(): number {
    return this.#sweep.segmenter.channels;
  }

  /** Intensities that an attack ran at, ascending, without 0. */
  levels({ label }: AttackSpec): number[] {
    const own = this.rows.filter(({ attack, eps }) => attack === label && eps > 0);
    return [...new Set(own.map(({ eps }) => eps))].sort((a, b) => a - b);
  }

  /** The intensity in the middle of those that an attack ran at: neither end of a curve tells attacks apart. */
  middle(attack: AttackSpec): number {
    const levels = this.levels(attack);
    return levels[Math.floor(levels.length / 2)]!;
  }

  /** The smallest intensity, the one in the middle and the largest. */
  probes(attack: AttackSpec): number[] {
    const levels = this.levels(attack);
    return [...new Set([levels[0]!, this.middle(attack), levels.at(-1)!])];
  }

  /** Rows of one attack, or of the clean images, at every intensity. */
  rowsOf(label: string): Row[] {
    return this.rows.filter(({ attack }) => attack === label);
  }

  /** Dice of each image's prediction with the truth of the audited sample. */
  async scores(images: readonly Float32Array[]): Promise<number[]> {
    const logits = await this.logits(images);
    return logits.map((one, i) => overlap(this.counts(one, this.samples[i]!)));
  }

  /** Counts per foreground class of what logits predict for a sample. */
  counts(logits: Float32Array, sample: Sample): Confusion[] {
    return confusions(labels(logits, this.channels), sample.mask.data, this.dataset.classes.length);
  }

  /** What an attack wants to be predicted, `[H,W]` for each audited image. */
  goals(attack: AttackSpec): Promise<ArrayLike<number>[]> {
    const classes = this.dataset.classes.length;
    return this.#each(this.clean, this.batch, async ({ truth }) => {
      const goal = goalMasks(attack, truth, classes, this.ctx);
      return goal === truth ? truth.clone() : goal;
    });
  }

  /** Logits `[H,W,K]` of each image, computed `batch` images at a time. */
  logits(images: readonly Float32Array[], batch = this.batch): Promise<Float32Array[]> {
    const { segmenter } = this.#sweep;
    const run = this.#steps.compile('logits', (x) => [segmenter.logits(x as Tensor4D)]);
    return this.#each(images, batch, async ({ x }) => run(x)[0]!);
  }

  /** Gradient of an objective with respect to each of the audited images, of the shape of an image. */
  gradient(images: readonly Float32Array[], objective: Objective): Promise<Float32Array[]> {
    const { segmenter } = this.#sweep;
    const run = this.#steps.compile(`gradient ${objective.key}`, (x, truth, goal) => {
      const masks = { truth: truth as Tensor3D, goal: goal as Tensor3D };
      return [lossGradient(segmenter, x as Tensor4D, (logits) => objective.loss(logits, masks))];
    });
    return this.#each(images, this.batch, async ({ x, truth }) => {
      const goal = objective.goal(truth);
      const [gradient] = run(x, truth, goal);
      if (goal !== truth) goal.dispose();
      return gradient!;
    });
  }

  /** What an attack makes of the audited images, through its hook as in the run; made once. */
  attacked(attack: AttackSpec, eps: number): Promise<Attacked> {
    const key = `${attack.label} ${eps}`;
    const made = this.#made.get(key) ?? this.#attack(attack, eps);
    this.#made.set(key, made);
    return made;
  }

  /** Dice of each audited image under an attack. */
  async damage(attack: AttackSpec, eps: number): Promise<number[]> {
    return this.scores((await this.attacked(attack, eps)).images);
  }

  async #attack(attack: AttackSpec, eps: number): Promise<Attacked> {
    let gradients = 0;
    const images = await this.#each(this.clean, this.batch, async (batch) => {
      const goal = goalMasks(attack, batch.truth, this.dataset.classes.length, this.ctx);
      try {
        const { hooks } = this.#sweep;
        const request = this.#request(attack, eps, batch, goal);
        const tapped = hooks.attack.for(attack.plugin.name).call(undefined, request);
        for await (const made of tapped ?? attackBatch(request)) {
          gradients = made.gradients;
          return made.x;
        }
        throw new Error(`the attack made no images at eps ${eps}`);
      } finally {
        if (goal !== batch.truth) goal.dispose();
      }
    });
    return { images, gradients };
  }

  #request({ plugin, options }: AttackSpec, eps: number, { x, truth, ids, samples }: Batch, goal: Tensor3D) {
    const { segmenter, dataset, ctx } = this.#sweep;
    const model = new CountedModel(segmenter, dataset.domain, dataset.classes.length);
    model.images = samples.length;
    return {
      ...{ plugin, options, model, x, truth, goal, ids, ctx },
      compile: this.#steps.compile,
      count: samples.length,
      budgets: [{ norm: plugin.norm, eps }],
      share: true,
      quantised: isQuantised(dataset, samples),
    };
  }

  /** Runs a step over images in padded batches and gives its result image by image. */
  async #each(
    images: readonly Float32Array[],
    size: number,
    run: (batch: Batch) => Promise<Tensor>,
  ): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    const shown = images.map((data, i): Sample => {
      const sample = this.samples[i % this.samples.length]!;
      return { ...sample, image: { ...sample.image, data } };
    });
    for (let first = 0; first < shown.length; first += size) {
      this.ctx.signal.throwIfAborted();
      const batch = toBatch(shown.slice(first, first + size), size);
      const result = await run(batch).finally(() => batch.dispose());
      const values = await result.data<'float32'>();
      result.dispose();
      const length = values.length / size;
      results.push(...batch.samples.map((_, i) => values.slice(i * length, (i + 1) * length)));
      // Lets signals and timers in: engine calls are synchronous.
      await new Promise(setImmediate);
    }
    return results;
  }

  dispose(): void {
    this.#steps.dispose();
  }
}

/** What an attack's gradient is taken of: its own loss, or cross-entropy with its goal where only it knows. */
export function objectiveOf(
  attack: AttackSpec,
  audit: SubjectAudit,
  otherwise: Objective['loss'],
): Objective {
  const { plugin, options, label } = attack;
  const { iteration } = plugin;
  return {
    key: label,
    loss: iteration ? (logits, masks) => iteration.loss(logits, masks, options, audit.ctx) : otherwise,
    goal: (truth) => goalMasks(attack, truth, audit.dataset.classes.length, audit.ctx),
  };
}

/**
 * An attack that tells its steps, with some of that changed. One with another loss bears another name, for steps of one
 * name and length compute the same; it passes no hook.
 */
export function variant(
  { plugin, options, label }: AttackSpec,
  how: string,
  change: Partial<Iteration>,
): AttackSpec {
  const name = change.loss ? `${plugin.name} ${how}` : plugin.name;
  const iteration = { ...plugin.iteration!, ...change };
  return { plugin: { ...plugin, name, iteration }, options, label: `${label} ${how}` };
}
