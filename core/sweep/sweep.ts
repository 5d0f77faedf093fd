import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Resolved } from '../config/types.ts';
import { StepCache } from '../engine.ts';
import { RobustError } from '../errors/index.ts';
import { CountedModel } from '../gradients/model.ts';
import type { Hooks } from '../hooks.ts';
import type { Cell } from '../plan/plan.ts';
import type { AttackSpec } from '../plan/spec.ts';
import type { Engine } from '../plugin.ts';
import type { Context, Cost, Dataset, Row, Sample, Segmenter } from '../vocabulary.ts';
import { batches, isQuantised, type Batch } from './batches.ts';
import { classMean, maskPairs } from './measure.ts';
import { predict } from './predict.ts';
import type { Adversarial, SweepRequest } from './request.ts';
import { achievedNorms } from './verify.ts';

/** A subject, what it is attacked with and what is measured. */
export interface SubjectSweep {
  readonly name: string;
  readonly segmenter: Segmenter;
  readonly dataset: Dataset;
  readonly attacks: readonly AttackSpec[];
  readonly cells: readonly Cell[];
  readonly metrics: readonly Resolved<'metric'>[];
  /** Test images to attack. */
  readonly images: number;
  readonly batch: number;
  readonly share: boolean;
  readonly engine: Engine;
  readonly hooks: Hooks;
  readonly ctx: Context;
}

/** Rows of one subject, and what they cost. An interrupted sweep keeps whole batches only. */
export interface SweepResult {
  readonly rows: readonly Row[];
  readonly cost: Cost;
}

/** Attacks one subject with every budget, batch by batch. */
export async function sweepSubject(sweep: SubjectSweep): Promise<SweepResult> {
  const started = performance.now();
  const model = new CountedModel(sweep.segmenter, sweep.dataset.domain, sweep.dataset.classes.length);
  const steps = new StepCache(sweep.engine);
  const rows: Row[] = [];
  try {
    for await (const batch of batches(sweep.dataset.test, sweep.images, sweep.batch)) {
      const scorer = new BatchScorer(sweep, batch, model, steps);
      const made = await scorer.run().finally(() => batch.dispose());
      rows.push(...made);
      const { images, name, attacks } = sweep;
      const done = rows.filter(({ attack }) => attack === 'clean').length;
      const seconds = (performance.now() - started) / 1000;
      sweep.hooks.progress.call({
        subject: name,
        attack: attacks.map(({ label }) => label).join(', '),
        done,
        total: images,
        imagesPerSecond: done / seconds,
        secondsLeft: (seconds / done) * (images - done),
      });
      // Lets signals and timers in: engine calls are synchronous.
      await new Promise(setImmediate);
    }
  } catch (error) {
    if (!sweep.ctx.signal.aborted) throw error;
  } finally {
    steps.dispose();
  }
  const seconds = (performance.now() - started) / 1000;
  return { rows, cost: { gradients: model.gradients, forwards: model.forwards, seconds } };
}

/** Everything that happens to one batch of images. */
class BatchScorer {
  readonly #sweep: SubjectSweep;
  readonly #batch: Batch;
  readonly #model: CountedModel;
  readonly #steps: StepCache;
  readonly #clean: Float32Array;

  constructor(sweep: SubjectSweep, batch: Batch, model: CountedModel, steps: StepCache) {
    this.#sweep = sweep;
    this.#batch = batch;
    this.#model = model;
    this.#steps = steps;
    this.#clean = concat(batch.samples.map(({ image }) => image.data));
    model.images = batch.samples.length;
  }

  async run(): Promise<Row[]> {
    const rows = await this.#score('clean', {
      budget: { norm: 'linf', eps: 0 },
      x: this.#batch.x.clone(),
      gradients: 0,
    });
    for (const attack of this.#sweep.attacks) {
      for await (const adversarial of this.#attack(attack))
        rows.push(...(await this.#score(attack.label, adversarial)));
    }
    return rows;
  }

  async *#attack(attack: AttackSpec): AsyncGenerator<Adversarial> {
    const { hooks, cells, name, ctx, share, dataset } = this.#sweep;
    const wanted = cells.filter((cell) => cell.subject === name && cell.attack === attack.label);
    if (wanted.length === 0) return;
    const { plugin, options } = attack;
    const { x, truth, ids, samples } = this.#batch;
    const goal = this.#goal(attack);
    const request: SweepRequest = {
      plugin,
      options,
      model: this.#model,
      compile: this.#steps.compile,
      x,
      truth,
      goal,
      ids,
      count: samples.length,
      budgets: wanted.map(({ eps }) => ({ norm: plugin.norm, eps })),
      share,
      quantised: isQuantised(dataset, samples),
      ctx,
    };
    try {
      yield* hooks.attack.for(plugin.name).call(undefined, request)!;
    } finally {
      if (goal !== truth) goal.dispose();
    }
  }

  #goal({ plugin, options }: AttackSpec): Tensor3D {
    const { dataset, ctx } = this.#sweep;
    const { truth } = this.#batch;
    if (!plugin.goal) return truth;
    const classes = dataset.classes.length;
    const goal = tf.tidy(() => plugin.goal!(truth, classes, options, ctx));
    if (tf.util.arraysEqual(goal.shape, truth.shape) && goal.dtype === 'int32') return goal;
    throw new RobustError('GOAL_INVALID', {
      message: `The attack '${plugin.name}' made goal masks that do not fit the data.`,
      where: plugin.name,
      expected: `int32 [${truth.shape.join(', ')}]`,
      received: `${goal.dtype} [${goal.shape.join(', ')}]`,
      next: 'return one class index per pixel',
    });
  }

  async #score(attack: string, { budget, x, gradients }: Adversarial): Promise<Row[]> {
    const { name, ctx, dataset, hooks } = this.#sweep;
    const { samples } = this.#batch;
    const ids = samples.map(({ id }) => id);
    ctx.signal.throwIfAborted();
    const adversarial = (await x.data<'float32'>()).subarray(0, this.#clean.length);
    const candidate = {
      cell: `${name}/${attack}/${budget.eps}`,
      budget,
      domain: dataset.domain,
      ids,
      clean: this.#clean,
      adversarial,
    };
    hooks.verify.call(candidate);
    const labels = await predict(x, this.#model, ids, this.#steps.compile);
    x.dispose();
    const norms = achievedNorms(candidate);
    return samples.map((sample, index) => ({
      cell: candidate.cell,
      subject: name,
      attack,
      eps: budget.eps,
      sample: sample.id,
      group: sample.group ?? sample.id,
      linf: norms[index]!,
      gradients,
      ...this.#measure(
        sample,
        labels.subarray(index * sample.mask.data.length, (index + 1) * sample.mask.data.length),
      ),
    }));
  }

  #measure(sample: Sample, prediction: Uint8Array): Pick<Row, 'values' | 'confusion'> {
    const { metrics, dataset, hooks } = this.#sweep;
    const pairs = maskPairs(prediction, sample, dataset.classes.length);
    const values = metrics.map(({ plugin, options }) => {
      const hook = hooks.metric.for(plugin.name);
      return [plugin.name, classMean(pairs.map((pair) => hook.call(NaN, pair, options)))] as const;
    });
    return { values: Object.fromEntries(values), confusion: pairs.map(({ confusion }) => confusion) };
  }
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
