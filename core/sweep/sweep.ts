import type { Resolved } from '../config/types.ts';
import { StepCache } from '../engine.ts';
import { CountedModel, gradientMissing } from '../gradients/model.ts';
import type { Hooks } from '../hooks.ts';
import type { Cell } from '../plan/plan.ts';
import type { AttackSpec } from '../plan/spec.ts';
import type { Engine } from '../plugin.ts';
import type { Context, Cost, Dataset, Row, Segmenter } from '../vocabulary.ts';
import { openJournal, type Entry, type Journal } from '../store/journal.ts';
import { batches, isQuantised, type Batch } from './batches.ts';
import { addCosts, noCost } from './cost.ts';
import { goalMasks } from './goal.ts';
import { journalKey } from './identity.ts';
import { BatchMetrics } from './measure.ts';
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
  readonly seed: number;
  /** Where finished batches are kept. */
  readonly dir: string;
  /** Attack what is finished again. */
  readonly fresh: boolean;
  readonly engine: Engine;
  readonly hooks: Hooks;
  readonly ctx: Context;
}

/** The cells of one attack on the subject. */
export function cellsOf({ cells, name }: SubjectSweep, attack: string | null): readonly Cell[] {
  return cells.filter((cell) => cell.subject === name && cell.attack === attack);
}

/** Rows of one subject, and what they cost. An interrupted sweep keeps whole batches only. */
export interface SweepResult {
  readonly rows: readonly Row[];
  readonly cost: Cost;
}

/** Attacks one subject with every budget, batch by batch. What an earlier process finished is taken from there. */
export async function sweepSubject(sweep: SubjectSweep): Promise<SweepResult> {
  requireGradient(sweep);
  const model = new CountedModel(sweep.segmenter, sweep.dataset.domain, sweep.dataset.classes.length);
  const steps = new StepCache(sweep.engine, sweep.segmenter);
  const journals = await openJournals(sweep);
  announce(sweep, journals);
  const entries: Entry[] = [];
  const started = performance.now();
  let done = 0;
  try {
    for await (const batch of batches(sweep.dataset.test, sweep.images, sweep.batch)) {
      const scorer = new BatchScorer(sweep, batch, model, steps, journals);
      entries.push(...(await scorer.run().finally(() => batch.dispose())));
      done += batch.samples.length;
      reportProgress(sweep, done, (performance.now() - started) / 1000);
      // Lets signals and timers in: engine calls are synchronous.
      await new Promise(setImmediate);
    }
  } catch (error) {
    if (!sweep.ctx.signal.aborted) throw error;
  } finally {
    steps.dispose();
  }
  return {
    rows: entries.flatMap(({ rows }) => rows),
    cost: entries.map(({ cost }) => cost).reduce(addCosts, noCost),
  };
}

/** Said before hours of other work, where an attack is known to follow gradients. */
function requireGradient({ name, segmenter, attacks }: SubjectSweep): void {
  const [first] = attacks.filter(({ plugin }) => plugin.iteration);
  if (segmenter.gradient === false && first) throw gradientMissing(`${name}, attacked by ${first.label}`);
}

type Journals = ReadonlyMap<string | null, Journal>;

/** One for the clean images (`null`) and one for each attack. */
async function openJournals(sweep: SubjectSweep): Promise<Journals> {
  const { name, attacks, dir, fresh } = sweep;
  const labels = [null, ...attacks.map(({ label }) => label)];
  const open = (label: string | null) =>
    openJournal(dir, `${name}-${label ?? 'clean'}`, journalKey(sweep, label), fresh);
  return new Map(await Promise.all(labels.map(async (label) => [label, await open(label)] as const)));
}

/** Says how much of the work is done already. */
function announce({ dataset, images, batch, name, ctx }: SubjectSweep, journals: Journals): void {
  const starts = Array.from({ length: Math.ceil(images / batch) }, (_, index) => index * batch);
  const found = starts.filter((first) => {
    const samples = dataset.test.ids.slice(first, Math.min(first + batch, images));
    return [...journals.values()].every((journal) => journal.find(samples));
  });
  if (found.length === 0) return;
  ctx.log.info(
    `${name}: ${found.length} of ${starts.length} batches were finished before (--fresh repeats them)`,
  );
}

function reportProgress({ hooks, images, name, attacks }: SubjectSweep, done: number, seconds: number): void {
  hooks.progress.call({
    subject: name,
    attack: attacks.map(({ label }) => label).join(', '),
    done,
    total: images,
    imagesPerSecond: done / seconds,
    secondsLeft: (seconds / done) * (images - done),
  });
}

/** Everything that happens to one batch of images. */
class BatchScorer {
  readonly #sweep: SubjectSweep;
  readonly #batch: Batch;
  readonly #model: CountedModel;
  readonly #steps: StepCache;
  readonly #journals: Journals;
  readonly #clean: Float32Array;
  readonly #metrics: BatchMetrics;
  /** Classes that the attack wants, while a targeted one runs and a metric asks. */
  #goals: Int32Array | undefined;

  constructor(sweep: SubjectSweep, batch: Batch, model: CountedModel, steps: StepCache, journals: Journals) {
    this.#sweep = sweep;
    this.#batch = batch;
    this.#model = model;
    this.#steps = steps;
    this.#journals = journals;
    this.#clean = concat(batch.samples.map(({ image }) => image.data));
    this.#metrics = new BatchMetrics(sweep.metrics, sweep.hooks, batch.samples, sweep.dataset.classes);
    model.images = batch.samples.length;
  }

  /** The clean images, then those of each attack. */
  async run(): Promise<Entry[]> {
    const untouched = { budget: { norm: 'linf', eps: 0 }, gradients: 0 } as const;
    const clean = () => this.#score('clean', { ...untouched, x: this.#batch.x.clone() });
    const attacks = this.#sweep.attacks.filter(({ label }) => cellsOf(this.#sweep, label).length > 0);
    // Whoever watches an attack sees the clean images before, also where only those were finished.
    if (this.#known(null) && attacks.some(({ label }) => !this.#known(label))) await clean();
    const entries = [await this.#once(null, clean)];
    for (const attack of attacks) {
      const rows = async () => {
        const made: Row[] = [];
        for await (const adversarial of this.#attack(attack))
          made.push(...(await this.#score(attack.label, adversarial)));
        return made;
      };
      entries.push(await this.#once(attack.label, rows));
    }
    return entries;
  }

  /** Does a piece of work unless an earlier process has finished it. */
  async #once(label: string | null, work: () => Promise<Row[]>): Promise<Entry> {
    this.#sweep.ctx.signal.throwIfAborted();
    const known = this.#known(label);
    if (known) return known;
    const { gradients, forwards } = this.#model;
    const started = performance.now();
    const rows = await work();
    const cost = {
      gradients: this.#model.gradients - gradients,
      forwards: this.#model.forwards - forwards,
      seconds: (performance.now() - started) / 1000,
    };
    const samples = this.#batch.samples.map(({ id }) => id);
    return this.#journals.get(label)!.add({ samples, rows, cost });
  }

  /** What an earlier process made of this batch. */
  #known(label: string | null): Entry | undefined {
    return this.#journals.get(label)!.find(this.#batch.samples.map(({ id }) => id));
  }

  async *#attack(attack: AttackSpec): AsyncGenerator<Adversarial> {
    const { hooks, ctx, share, dataset } = this.#sweep;
    const { plugin, options } = attack;
    const { x, truth, ids, samples } = this.#batch;
    const goal = goalMasks(attack, truth, dataset.classes.length, ctx);
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
      budgets: cellsOf(this.#sweep, attack.label).map(({ eps }) => ({ norm: plugin.norm, eps })),
      share,
      quantised: isQuantised(dataset, samples),
      ctx,
    };
    try {
      if (plugin.goal && this.#metrics.needs.goal) this.#goals = await goal.data<'int32'>();
      yield* hooks.attack.for(plugin.name).call(undefined, request)!;
    } finally {
      this.#goals = undefined;
      if (goal !== truth) goal.dispose();
    }
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
    const { probability } = this.#metrics.needs;
    const prediction = await predict(x, this.#model, ids, this.#steps.compile, probability);
    x.dispose();
    const norms = achievedNorms(candidate);
    const rows = samples.map((sample, index) => ({
      cell: candidate.cell,
      subject: name,
      attack,
      eps: budget.eps,
      sample: sample.id,
      group: sample.group ?? sample.id,
      ...(sample.metadata && { metadata: sample.metadata }),
      linf: norms[index]!,
      gradients,
      ...this.#metrics.measure(index, prediction, this.#goals),
    }));
    const { fingerprint } = this.#sweep.segmenter;
    await hooks.evaluated.promise({
      subject: name,
      fingerprint,
      attack,
      eps: budget.eps,
      samples,
      adversarial,
      predictions: prediction.labels,
      rows,
    });
    return rows;
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
