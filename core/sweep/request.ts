import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { AttackPlugin, OptionsOf, OptionsSchema, Step } from '../plugin.ts';
import type { CountedModel } from '../gradients/model.ts';
import type { Budget, Context, IntensityDomain, Row, Sample } from '../vocabulary.ts';

/** One batch of images and the budgets to attack it with. */
export interface SweepRequest {
  readonly plugin: AttackPlugin;
  readonly options: OptionsOf<OptionsSchema>;
  readonly model: CountedModel;
  /** Gives a step in its fastest form; steps with the same key of one subject compute the same. */
  compile(key: string, step: Step): Step;
  /** Clean images `[N,H,W,C]`; the last batch is padded to the common size N. */
  readonly x: Tensor4D;
  /** True classes `[N,H,W]`, int32. */
  readonly truth: Tensor3D;
  /** What the attack wants, `[N,H,W]`, int32; the truth itself for untargeted attacks. */
  readonly goal: Tensor3D;
  /** Sample ids of all N images; padding repeats the last one. */
  readonly ids: readonly string[];
  /** Images before the padding. */
  readonly count: number;
  /** Ascending in eps. */
  readonly budgets: readonly Budget[];
  /** Whether budgets may share a trajectory. */
  readonly share: boolean;
  /** Whether images are whole multiples of the domain's step. */
  readonly quantised: boolean;
  readonly ctx: Context;
}

/** Adversarial images of one budget. Whoever receives it disposes `x`. */
export interface Adversarial {
  readonly budget: Budget;
  readonly x: Tensor4D;
  /** Gradient evaluations per image beyond those that smaller budgets needed too. */
  readonly gradients: number;
}

/** What the `verify` hook checks: plain numbers, read back from the engine. */
export interface Candidate {
  /** Subject, attack and eps. */
  readonly cell: string;
  readonly budget: Budget;
  readonly domain: IntensityDomain;
  readonly ids: readonly string[];
  /** Clean and adversarial images, back to back, without padding. */
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
}

/** What the `evaluated` hook sees: the images of one batch under one budget, scored. */
export interface Evaluation {
  readonly subject: string;
  /** Hash of the subject's graph and weights. */
  readonly fingerprint: string;
  /** `clean` for untouched images. */
  readonly attack: string;
  readonly eps: number;
  readonly samples: readonly Sample[];
  /** Attacked images and predicted classes, back to back, without padding. */
  readonly adversarial: Float32Array | Uint8Array;
  readonly predictions: Uint8Array;
  /** One per sample. */
  readonly rows: readonly Row[];
}
