import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, resolveOptions, Runner, type Config, type Report } from '../core/index.ts';
import type { Resolved } from '../core/config/types.ts';
import { applyGates } from '../core/gate/gate.ts';
import { readRules } from '../core/gate/rule.ts';
import { makeRandom } from '../core/random.ts';
import { compareSubjects } from '../core/statistics/comparisons.ts';
import { makeCurves } from '../core/statistics/curves.ts';
import { BatchMetrics } from '../core/sweep/measure.ts';
import { backendContext, temporaryFolder } from '../core/testing/context.ts';
import { EPS, type Case } from './cases.ts';
import { bundledPlugins, registry } from './subject.ts';

/** Test images of ISBI 2016, which a few measured ones stand for. */
const IMAGES = 379;
const SUBJECTS = 3;

/** One part of a run: seconds for all images and subjects. */
export interface Part {
  readonly part: string;
  readonly seconds: number;
}

/**
 * What judging costs beside attacking: three subjects, the paper's 18 intensities, every metric. Attack and metrics are
 * measured on one batch and scaled up, for both are linear in images and subjects; statistics and reporters get a report
 * of full size.
 */
export async function overhead(wanted: Case, backend: NonNullable<Config['backend']>): Promise<Part[]> {
  const metrics = await openMetrics();
  const { report, attack, judging } = await run(wanted, backend, metrics);
  return [
    { part: 'attack', seconds: SUBJECTS * IMAGES * attack },
    { part: 'metrics', seconds: SUBJECTS * IMAGES * judging },
    ...(await judge(enlarged(report), metrics)),
  ];
}

/** One at a time: jiti does not wait for a file that it is loading already. */
async function openMetrics(): Promise<Resolved<'metric'>[]> {
  const metrics: Resolved<'metric'>[] = [];
  for (const file of await readdir(new URL('metrics/', bundledPlugins))) {
    if (!file.endsWith('.ts')) continue;
    const plugin = await registry.resolve('metric', file.slice(0, -3));
    metrics.push({ plugin, options: resolveOptions(plugin) });
  }
  return metrics;
}

/** From now on adds up the time of all metrics; gives the sum so far. */
function timeMetrics(): () => number {
  const { measure } = BatchMetrics.prototype;
  let seconds = 0;
  BatchMetrics.prototype.measure = function (...args) {
    const started = performance.now();
    const result = measure.apply(this, args);
    seconds += (performance.now() - started) / 1000;
    return result;
  };
  return () => seconds;
}

/** A run of one subject over two batches, and the seconds of an image of the second: the first captures steps. */
async function run(
  { model, side, batch, dir }: Case,
  backend: NonNullable<Config['backend']>,
  metrics: readonly Resolved<'metric'>[],
): Promise<{ report: Report; attack: number; judging: number }> {
  const cwd = temporaryFolder();
  const target: Config = {
    ...{ backend, batch, output: cwd, eps: EPS, reporters: [], audit: 'off' },
    metrics: metrics.map(({ plugin }) => plugin.name),
    dataset: { use: 'chest-phantom', size: side, test: 2 * batch },
    subjects: { 'subject-1': { model, weights: dir } },
  };
  const runner = new Runner({ ...backendContext(), cwd, bundledPlugins });
  const metricSeconds = timeMetrics();
  const times: { all: number; judging: number }[] = [];
  runner.hooks.progress.tap('bench', () => {
    times.push({ all: performance.now() / 1000, judging: metricSeconds() });
  });
  const loaded = await loadConfig({ cwd, presets: new URL('../presets/', import.meta.url), target });
  const report = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
  const [first, second] = times as [(typeof times)[0], (typeof times)[0]];
  const judging = second.judging - first.judging;
  return { report, attack: (second.all - first.all - judging) / batch, judging: judging / batch };
}

/** The same rows again and again, as those of other images and subjects. */
function enlarged(report: Report): Report {
  const copies = Array.from({ length: Math.ceil(IMAGES / report.dataset.images) }, (_, copy) => copy);
  const subjects = Array.from({ length: SUBJECTS }, (_, index) => `subject-${index + 1}`);
  const rows = subjects.flatMap((subject) =>
    copies.flatMap((copy) =>
      report.rows.map((row) => ({
        ...row,
        subject,
        sample: `${row.sample}-${copy}`,
        group: `${row.group}-${copy}`,
      })),
    ),
  );
  return {
    ...report,
    rows,
    subjects: subjects.map((name) => ({ ...report.subjects[0]!, name })),
    examples: [],
    dataset: { ...report.dataset, images: report.dataset.images * copies.length },
  };
}

async function judge(report: Report, metrics: readonly Resolved<'metric'>[]): Promise<Part[]> {
  const parts: Part[] = [];
  const timed = async <T>(part: string, work: () => T | Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    parts.push({ part, seconds: (performance.now() - started) / 1000 });
    return result;
  };
  const { seed, rows, dataset } = report;
  const curves = await timed('curves', () => makeCurves(rows, metrics, dataset.classes, makeRandom(seed)));
  const comparisons = await timed('comparisons', () => compareSubjects({ curves, rows, seed }));
  const before = { ...report, curves, comparisons };
  const texts = metrics.map(({ plugin }) => `${plugin.name} regression <= 1`);
  const rules = readRules(texts, () => undefined);
  const gates = await timed('gates', () => applyGates(before, rules, before));
  const dir = temporaryFolder();
  const write = (name: string, content: string | Uint8Array) => writeFile(join(dir, name), content);
  for (const name of ['json', 'html', 'junit', 'markdown', 'terminal', 'figure']) {
    const plugin = await registry.resolve('reporter', name);
    const target = { dir, write, print: () => undefined, columns: 80, colour: false };
    await timed(name, () => plugin.report({ ...before, gates }, resolveOptions(plugin), target));
  }
  return parts;
}
