import { existsSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng } from '../images/encode.ts';
import type { Plan } from '../plan/plan.ts';
import { definePlugin, type HookPlugin, type MetricPlugin } from '../plugin.ts';
import { groupBy } from '../statistics/group.ts';
import { writeAtomically } from '../store/output.ts';
import type { Evaluation } from '../sweep/request.ts';
import type { Dataset, Example, Report, Row } from '../vocabulary.ts';
import { filesOf, FOLDER, levels } from './files.ts';
import { damage, worst, type Ranked } from './rank.ts';

/** What to keep, and where. */
export interface ExampleSettings {
  /** Images of each subject and attack. */
  readonly count: number;
  /** The run folder. */
  readonly dir: string;
  /** Ranks the images. */
  readonly metric: Pick<MetricPlugin, 'name' | 'better'>;
  readonly dataset: Dataset;
  readonly plan: Plan;
}

/** One image under all budgets of an attack, the clean one first. */
interface Candidate extends Ranked {
  readonly examples: readonly Example[];
}

/**
 * Keeps pictures of the images that each attack damaged most. They are written while the run goes on, as soon as
 * their batch went through all budgets and only if they are among the worst so far, so that memory holds one batch.
 * Whatever is among the worst of all is among the worst of every part that holds it: a run that goes on where another
 * stopped finds the pictures of the batches that were finished in the run folder.
 */
export function keepExamples(settings: ExampleSettings): HookPlugin {
  const keeper = new Keeper(settings);
  return definePlugin({
    name: 'examples',
    apply({ hooks }) {
      hooks.evaluated.tapPromise('examples', (evaluation) => keeper.add(evaluation));
      hooks.summarize.tap('examples', (report) => ({ ...report, examples: keeper.choose(report) }));
    },
  });
}

class Keeper {
  readonly #settings: ExampleSettings;
  /** The batch at hand: clean, and under the attack at hand. */
  #clean: Evaluation | undefined;
  #attacked: Evaluation[] = [];
  readonly #worst = new Map<string, Candidate[]>();

  constructor(settings: ExampleSettings) {
    this.#settings = settings;
  }

  async add(evaluation: Evaluation): Promise<void> {
    const { subject, attack, eps, adversarial } = evaluation;
    if (attack === 'clean') this.#clean = evaluation;
    if (this.#attacked[0]?.attack !== attack) this.#attacked = [];
    if (eps === 0) return;
    this.#attacked.push({ ...evaluation, adversarial: compact(adversarial) });
    const { cells } = this.#settings.plan;
    const budgets = cells.filter(
      (cell) => cell.subject === subject && cell.attack === attack && cell.eps > 0,
    );
    if (this.#attacked.length === budgets.length) await this.#decide();
  }

  /** Writes those of a finished batch that are among the worst so far, and removes those that no longer are. */
  async #decide(): Promise<void> {
    const clean = this.#clean!;
    const attacked = this.#attacked.splice(0).sort((a, b) => a.eps - b.eps);
    const { subject, attack, fingerprint } = attacked[0]!;
    const key = JSON.stringify([subject, attack]);
    const before = this.#worst.get(key) ?? [];
    const batch = [clean, ...attacked];
    const arrived = clean.samples.map((_, index) =>
      this.#candidate(
        batch.map(({ rows }) => rows[index]!),
        attack,
        fingerprint,
      ),
    );
    const now = worst([...before, ...arrived], this.#settings.count);
    this.#worst.set(key, now);
    for (const [index, one] of arrived.entries()) if (now.includes(one)) await this.#write(one, batch, index);
    for (const { examples } of before.filter((one) => !now.includes(one)))
      for (const { prediction, adversarial } of examples.slice(1))
        for (const file of [prediction, adversarial]) await rm(this.#path(file), { force: true });
  }

  /** @param rows one image, clean and under all budgets of the attack */
  #candidate(rows: readonly Row[], attack: string, fingerprint: string): Candidate {
    const { metric, dataset } = this.#settings;
    return {
      sample: rows[0]!.sample,
      damage: damage(rows[0]!, rows.at(-1)!, metric),
      examples: rows.map((row) => ({
        subject: row.subject,
        attack,
        eps: row.eps,
        sample: row.sample,
        ...filesOf(row, dataset.fingerprint, fingerprint),
      })),
    };
  }

  async #write({ examples }: Candidate, batch: readonly Evaluation[], index: number): Promise<void> {
    const { domain, classes } = this.#settings.dataset;
    const { image, mask } = batch[0]!.samples[index]!;
    const drawImage = (file: string, data: ArrayLike<number>) =>
      this.#draw(file, () =>
        encodePng(levels({ shape: image.shape, data: Float32Array.from(data) }, domain)),
      );
    const drawMask = (file: string, data: Uint8Array) =>
      this.#draw(file, () => encodePng({ shape: mask.shape, data }, { classes: classes.length }));
    await drawMask(examples[0]!.truth, mask.data);
    for (const [at, { adversarial, predictions }] of batch.entries()) {
      const { adversarial: file, prediction } = examples[at]!;
      await drawImage(file, part(adversarial, index, image.data.length));
      await drawMask(prediction, part(predictions, index, mask.data.length));
    }
  }

  /** The name says what a file holds: one that is there needs no writing. */
  async #draw(file: string, encode: () => Promise<Uint8Array>): Promise<void> {
    const path = this.#path(file);
    if (!existsSync(path)) await writeAtomically(path, await encode());
  }

  #path(file: string): string {
    return join(this.#settings.dir, file);
  }

  /**
   * The worst images of the whole run, the part of it that was finished before included. Pictures that this run no
   * longer needs go; those of other models or data in the same folder stay.
   */
  choose({ rows, subjects }: Report): Example[] {
    const prints = new Map(subjects.map(({ name, fingerprint }) => [name, fingerprint]));
    const attacked = groups(rows).map((images) => {
      const { subject, attack } = images[0]!.at(-1)!;
      return images.map((levels) => this.#candidate(levels, attack, prints.get(subject)!));
    });
    const folder = this.#path(FOLDER);
    const there = new Set(existsSync(folder) ? readdirSync(folder).map((name) => `${FOLDER}/${name}`) : []);
    const chosen = attacked
      .flatMap((candidates) => worst(candidates, this.#settings.count))
      .filter(({ examples }) => filesIn(examples).every((file) => there.has(file)))
      .flatMap(({ examples }) => examples);
    const needed = new Set(filesIn(chosen));
    for (const file of attacked.flat().flatMap(({ examples }) => filesIn(examples)))
      if (there.delete(file) && !needed.has(file)) rmSync(this.#path(file));
    return chosen;
  }
}

function filesIn(examples: readonly Example[]): string[] {
  return examples.flatMap(({ image, adversarial, truth, prediction }) => [
    image,
    adversarial,
    truth,
    prediction,
  ]);
}

/** Rows of each image under one attack, the clean one first, for every subject and attack. */
function groups(rows: readonly Row[]): Row[][][] {
  const clean = rows.filter(({ attack }) => attack === 'clean');
  const attacked = rows.filter(({ attack, eps }) => attack !== 'clean' && eps > 0);
  const cleanOf = new Map(clean.map((row) => [JSON.stringify([row.subject, row.sample]), row]));
  const bySubject = groupBy(attacked, ({ subject, attack }) => JSON.stringify([subject, attack]));
  return [...bySubject.values()].map((some) =>
    [...groupBy(some, ({ sample }) => sample).values()].map((levels) => {
      const { subject, sample } = levels[0]!;
      return [cleanOf.get(JSON.stringify([subject, sample]))!, ...levels.sort((a, b) => a.eps - b.eps)];
    }),
  );
}

/** One image of several that lie back to back. */
function part<T extends Float32Array | Uint8Array>(all: T, index: number, size: number): T {
  return all.subarray(index * size, (index + 1) * size) as T;
}

/** Whole grey levels take a quarter of the memory. */
function compact(values: Evaluation['adversarial']): Evaluation['adversarial'] {
  const small = values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255);
  return small ? Uint8Array.from(values) : values;
}
