import type { Hooks } from '../hooks.ts';
import { tiled } from '../models/tiles.ts';
import type { Context, Dataset, Segmenter, SubjectSummary, TrainingEpoch } from '../vocabulary.ts';
import type { Engine, ModelRequest } from '../plugin.ts';
import type { SubjectRequest, SubjectSpec } from './request.ts';

/** A subject that is ready to be attacked. */
export interface Subject {
  readonly segmenter: Segmenter;
  readonly summary: Omit<SubjectSummary, 'cost'>;
  dispose(): void;
}

/** What a subject is opened from. */
export interface SubjectSource {
  readonly spec: SubjectSpec;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly seed: number;
  readonly dir: string;
  readonly startDir: string | null;
  readonly ctx: Context;
  readonly hooks: Hooks;
}

/**
 * Opens the model, training it where its weights are missing, and puts the defenses around it: the first one listed is
 * the outermost, so that it sees the image first and the logits last.
 */
export async function openSubject(source: SubjectSource): Promise<Subject> {
  const { spec, dataset, hooks, ctx } = source;
  const { height, width, channels, classes, domain } = dataset;
  const seen = spec.tile ? { height: spec.tile.size, width: spec.tile.size } : { height, width };
  const request: ModelRequest = { ...seen, channels, classes, domain };
  let parameters: number | null = null;
  let training: readonly TrainingEpoch[] | undefined;
  const asked: SubjectRequest = {
    ...source,
    request,
    onParameters: (count) => (parameters = count),
    onTrained: (epochs) => (training = epochs),
    onTraining: (progress) => hooks.training.call({ subject: spec.name, ...progress }),
  };
  const opened = (await hooks.model.for(spec.model.plugin.name).promise(undefined, asked))!;
  const model = spec.tile ? tiled(opened, dataset, spec.tile) : opened;
  const segmenter = spec.defenses.reduceRight(
    (inner, { plugin, options }) => hooks.defense.for(plugin.name).call(inner, { options, domain, ctx }),
    model,
  );
  return {
    segmenter,
    summary: {
      name: spec.name,
      model: spec.model.plugin.name,
      defenses: spec.defenses.map(({ plugin }) => plugin.name),
      fingerprint: segmenter.fingerprint,
      parameters,
      ...(segmenter.blind && { blind: true }),
      ...(segmenter.gradient === false && { gradient: false }),
      ...(segmenter.notes && { notes: segmenter.notes }),
      ...(training && { training }),
    },
    dispose: () => segmenter.dispose(),
  };
}
