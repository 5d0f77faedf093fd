import { createRequire } from 'node:module';
import type { LoadedConfig } from './config/index.ts';
import type { RunSpec } from './plan/spec.ts';
import { isPlugin, type Engine } from './plugin.ts';
import { makeCurves } from './statistics/curves.ts';
import type { SweepResult } from './sweep/sweep.ts';
import type { Context, Cost, Dataset, Report, SubjectSummary } from './vocabulary.ts';

/** What a report is made of, beside the results. */
interface Source {
  readonly spec: RunSpec;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly ctx: Context;
  readonly startedAt: Date;
}

/** The report of a run; of one that was interrupted, over the images that were finished. */
export function makeReport(
  { spec, engine, dataset, ctx, startedAt }: Source,
  results: readonly (readonly [SubjectSummary, SweepResult])[],
): Report {
  const rows = results.flatMap(([, result]) => result.rows);
  const { height, width, channels, domain, classes, fingerprint, notes } = dataset;
  return {
    schema: 'robust-report/1',
    status: ctx.signal.aborted ? 'interrupted' : 'complete',
    startedAt: startedAt.toISOString(),
    seed: spec.seed,
    engine: engine.info,
    versions: versions(),
    dataset: {
      name: spec.dataset.plugin.name,
      fingerprint,
      classes,
      size: [height, width, channels],
      domain,
      images: new Set(rows.map(({ sample }) => sample)).size,
      notes,
    },
    subjects: results.map(([subject]) => subject),
    curves: makeCurves(rows, spec.metrics, ctx.random),
    rows,
    cost: results.map(([, { cost }]) => cost).reduce(addCosts, { gradients: 0, forwards: 0, seconds: 0 }),
    configuration: withoutCode(spec.loaded.value),
    origins: spec.loaded.origins,
  };
}

function addCosts(a: Cost, b: Cost): Cost {
  return {
    gradients: a.gradients + b.gradients,
    forwards: a.forwards + b.forwards,
    seconds: a.seconds + b.seconds,
  };
}

/** Plugins given in place are code: the report keeps their names. */
function withoutCode(value: LoadedConfig['value']): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => (isPlugin(item) ? `(in place) ${item.name}` : item)),
  );
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const own = require('robust/package.json') as { version: string };
  const tfjs = require('@tensorflow/tfjs-core/package.json') as { version: string };
  return { robust: own.version, node: process.versions.node, tfjs: tfjs.version };
}
