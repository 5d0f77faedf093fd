import type { Resolved, TrainingConfig } from '../config/types.ts';
import type { Tile } from '../models/tiles.ts';
import type { Engine, ModelRequest, OptionsOf, OptionsSchema } from '../plugin.ts';
import type { Context, Dataset, IntensityDomain, TrainingEpoch } from '../vocabulary.ts';
import type { TrainingProgress } from '../training/trainer.ts';

/** A subject before it is opened. */
export interface SubjectSpec {
  readonly name: string;
  readonly model: Resolved<'model'>;
  readonly defenses: readonly Resolved<'defense'>[];
  /** Folder for weights that the configuration names; null keeps them in the run folder. */
  readonly weights: string | null;
  /** The subject whose trained weights are the start of this one's. */
  readonly weightsFrom: string | null;
  /** How images are cut for the model; null shows it whole images. */
  readonly tile: Tile | null;
  readonly training: TrainingConfig;
}

/** What is needed to open a subject. */
export interface SubjectRequest {
  readonly spec: SubjectSpec;
  readonly dataset: Dataset;
  readonly request: ModelRequest;
  readonly engine: Engine;
  readonly seed: number;
  /** Where weights go when the subject names no folder. */
  readonly dir: string;
  /** Folder of the weights to start from; null starts from random ones. */
  readonly startDir: string | null;
  readonly ctx: Context;
  /** Learns the number of trainable parameters. */
  onParameters(count: number): void;
  /** Learns how the weights came about. */
  onTrained(epochs: readonly TrainingEpoch[]): void;
  onTraining(progress: TrainingProgress): void;
}

/** What an input or output defense is applied with. */
export interface DefenseRequest {
  readonly options: OptionsOf<OptionsSchema>;
  readonly domain: IntensityDomain;
  readonly ctx: Context;
}
