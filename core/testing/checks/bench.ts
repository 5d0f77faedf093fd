import { StepCache } from '../../engine.ts';
import { CountedModel } from '../../gradients/model.ts';
import type { AttackPlugin, Engine } from '../../plugin.ts';
import { attackBatch } from '../../sweep/attack.ts';
import type { SweepRequest } from '../../sweep/request.ts';
import { verifyCandidate } from '../../sweep/verify.ts';
import type { Context, Dataset, Sample, Segmenter } from '../../vocabulary.ts';
import { imageBatch, maskBatch, samplesOf } from '../batches.ts';
import { curvedSegmenter, tinyDataset } from '../toys.ts';
import type { AnyOptions, ContractSettings } from './check.ts';
import { resolvedOptions } from './metadata.ts';

/** Intensities that attacks are tried at: below one grey level, whole ones, and some that no ladder shares. */
export const EPS = [0.5, 1, 3, 8, 16] as const;

/** What an attack made: adversarial images by eps, and how many gradients it took. */
export interface Outcome {
  readonly images: ReadonlyMap<number, Float32Array>;
  readonly gradients: number;
}

export interface Trial {
  readonly segmenter: Segmenter;
  readonly samples: readonly Sample[];
  readonly eps?: readonly number[];
  readonly share?: boolean;
  readonly classes?: number;
}

interface DisposableRequest extends SweepRequest {
  dispose(): void;
}

/** Runs one attack on toy models. */
export class Bench {
  readonly plugin: AttackPlugin;
  readonly options: AnyOptions;
  readonly settings: ContractSettings;
  readonly ctx: Context;
  readonly engine: Engine;
  readonly data: Dataset = tinyDataset({ channels: 3, test: 5 });

  constructor(plugin: AttackPlugin, settings: ContractSettings, ctx: Context, engine: Engine) {
    this.engine = engine;
    this.plugin = plugin;
    this.settings = settings;
    this.options = resolvedOptions(plugin, settings.options);
    this.ctx = ctx;
  }

  samples(): Promise<Sample[]> {
    return samplesOf(this.data.test);
  }

  async withCurved<T>(body: (segmenter: Segmenter) => Promise<T>, channels = 2): Promise<T> {
    const segmenter = curvedSegmenter(this.ctx.tf, this.data.channels, channels);
    try {
      return await body(segmenter);
    } finally {
      segmenter.dispose();
    }
  }

  /** A request as the runner makes it; the caller disposes it. */
  request(
    { segmenter, samples, eps = EPS, share = true, classes = 2 }: Trial,
    ctx = this.ctx,
  ): DisposableRequest {
    const { tf } = ctx;
    const model = new CountedModel(segmenter, this.data.domain, classes);
    model.images = samples.length;
    const [x, truth] = [imageBatch(tf, samples), maskBatch(tf, samples)];
    const goal = this.plugin.goal?.(truth, classes, this.options, ctx) ?? truth.clone();
    const steps = new StepCache(this.engine);
    return {
      plugin: this.plugin,
      options: this.options,
      model,
      compile: steps.compile,
      x,
      truth,
      goal,
      ids: samples.map(({ id }) => id),
      count: samples.length,
      budgets: eps.map((value) => ({ norm: this.plugin.norm, eps: value })),
      share,
      quantised: true,
      ctx,
      dispose: () => {
        steps.dispose();
        tf.dispose([x, truth, goal]);
      },
    };
  }

  /** Attacks, and verifies every image as core does. */
  async run(trial: Trial, ctx = this.ctx): Promise<Outcome> {
    const request = this.request(trial, ctx);
    const images = new Map<number, Float32Array>();
    for await (const { budget, x } of attackBatch(request)) {
      const adversarial = x.dataSync<'float32'>();
      const clean = request.x.dataSync<'float32'>();
      x.dispose();
      images.set(budget.eps, adversarial);
      const { ids } = request;
      verifyCandidate({ cell: this.plugin.name, budget, domain: this.data.domain, ids, clean, adversarial });
    }
    request.dispose();
    return { images, gradients: request.model.gradients };
  }
}

/** Intensities of all images, back to back. */
export function flat(samples: readonly Sample[]): Float32Array {
  return Float32Array.from(samples.flatMap(({ image }) => [...image.data]));
}

/** The sample with an image of one intensity. */
export function filled({ id, image, mask }: Sample, value: number): Sample {
  return { id: `${id}-${value}`, image: { ...image, data: image.data.map(() => value) }, mask };
}
