import type { LoadedConfig } from './config/index.ts';
import { mismatch } from './gate/baseline.ts';
import type { Gates } from './gate/open.ts';
import { memoryUse } from './memory/usage.ts';
import type { RunSpec } from './plan/spec.ts';
import { isPlugin, type Engine } from './plugin.ts';
import { addCosts, noCost } from './sweep/cost.ts';
import { compareRuns, compareSubjects } from './statistics/comparisons.ts';
import { makeCurves } from './statistics/curves.ts';
import type { SweepResult } from './sweep/sweep.ts';
import { versions } from './versions.ts';
import type { AuditResult, Comparison, Context, Dataset, Report, SubjectSummary } from './vocabulary.ts';

/** What a report is made of, beside the results. */
interface Source {
  readonly spec: RunSpec;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly ctx: Context;
  readonly gates: Gates;
  readonly startedAt: Date;
}

/** What became of one subject. */
export type SubjectResult = readonly [
  SubjectSummary,
  SweepResult & { readonly audit: readonly AuditResult[] },
];

/** The report of a run; of one that was interrupted, over the images that were finished. */
export function makeReport(
  { spec, engine, dataset, ctx, gates, startedAt }: Source,
  results: readonly SubjectResult[],
): Report {
  const rows = results.flatMap(([, result]) => result.rows);
  const { height, width, channels, domain, classes, fingerprint, notes } = dataset;
  const report: Report = {
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
    curves: makeCurves(rows, spec.metrics, classes, ctx.random),
    rows,
    ...(spec.audit === 'off' ? {} : { audit: results.flatMap(([, { audit }]) => audit) }),
    memory: memoryUse(),
    cost: results.map(([, { cost }]) => cost).reduce(addCosts, noCost),
    configuration: withoutCode(spec.loaded.value),
    origins: spec.loaded.origins,
  };
  return { ...report, comparisons: compareAll(report, gates.baseline) };
}

/** Subjects with each other, and with the baseline run where that is possible. */
function compareAll(report: Report, baseline: Report | undefined): Comparison[] {
  const comparable = baseline !== undefined && mismatch(report, baseline) === undefined;
  return [...compareSubjects(report), ...(comparable ? compareRuns(report, baseline) : [])];
}

/** Plugins given in place are code: the report keeps their names. */
function withoutCode(value: LoadedConfig['value']): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => (isPlugin(item) ? `(in place) ${item.name}` : item)),
  );
}
