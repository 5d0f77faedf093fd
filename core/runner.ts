import { join } from 'node:path';
import { auditSubject } from './audit/audit.ts';
import type { Opponents } from './audit/subject.ts';
import { checks } from './audit/checks/index.ts';
import type { CompleteConfig, LoadedConfig } from './config/index.ts';
import { advised, checkDataset } from './dataset.ts';
import { startEngine, tensorflow } from './engine.ts';
import { keepExamples } from './examples/index.ts';
import { applyGates } from './gate/gate.ts';
import { checkGates, openGates, type Gates } from './gate/open.ts';
import { createHooks, type Hooks } from './hooks.ts';
import { installPlugin } from './install.ts';
import { withBatch } from './memory/batch-size.ts';
import { makePlan, type Plan } from './plan/plan.ts';
import { resolveSpec, type RunSpec } from './plan/spec.ts';
import type { Engine, HookPlugin, ReportTarget } from './plugin.ts';
import { makeRandom } from './random.ts';
import { bundledResolver, fileResolver, packageResolver, Registry } from './registry/index.ts';
import { makeReport, type SubjectResult } from './report.ts';
import { prepareOutput, writeAtomically } from './store/output.ts';
import { openSubject, type Subject } from './subjects/subject.ts';
import type { SubjectSpec } from './subjects/request.ts';
import { sweepSubject } from './sweep/sweep.ts';
import { verifyCandidate } from './sweep/verify.ts';
import type { Context, Dataset, Logger, Report, SubjectSummary } from './vocabulary.ts';

/** What a program gives a runner. */
export interface RunnerOptions {
  /** Where packages and relative plugin files are looked for outside a configuration. */
  readonly cwd: string;
  /** The folder with `attacks/`, `models/` and so on, with a slash at its end. */
  readonly bundledPlugins: URL;
  readonly log: Logger;
  /** Aborting it ends a run early, with a valid partial report. */
  readonly signal: AbortSignal;
  readonly cacheDir: string;
}

/** Where a run shows its result. */
export type Screen = Omit<ReportTarget, 'dir' | 'write'>;

/** A run while it goes on. */
interface Session {
  readonly spec: RunSpec;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly ctx: Context;
  readonly gates: Gates;
  readonly opponents: Opponents;
  readonly startedAt: Date;
}

/** The whole program: a configuration in, a report out. Everything it does is a tap of one of its hooks. */
export class Runner {
  readonly hooks: Hooks = createHooks();
  readonly registry: Registry;
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { resolve, verify, audit } = this.hooks;
    resolve.tapPromise('bundled', bundledResolver(options.bundledPlugins));
    resolve.tapPromise('file', fileResolver);
    resolve.tapPromise('package', packageResolver);
    verify.tap('core', verifyCandidate);
    audit.tap('core', (before) => [...before, ...checks]);
    this.registry = new Registry({
      bundledPlugins: options.bundledPlugins,
      baseDir: options.cwd,
      find: (lookup) => resolve.promise(lookup),
    });
  }

  /** Lets a hook plugin tap the hooks. */
  use(plugin: HookPlugin): this {
    plugin.apply(this);
    return this;
  }

  /** The cells of a configuration. Only the data set is opened. */
  async plan(loaded: LoadedConfig): Promise<Plan> {
    return this.#guarded(async () => {
      const { spec, dataset } = await this.#open(loaded);
      return makePlan(spec, dataset);
    });
  }

  /** Trains the subjects whose weights are missing; all of them, or the one that is named. */
  async train(loaded: LoadedConfig, only?: string): Promise<SubjectSummary[]> {
    return this.#guarded(async () => {
      const session = await this.#open(loaded);
      await prepareOutput(session.spec.output);
      const summaries: SubjectSummary[] = [];
      for (const spec of session.spec.subjects.filter(({ name }) => only === undefined || name === only)) {
        const subject = await this.#subject(spec, session);
        summaries.push({ ...subject.summary, cost: { gradients: 0, forwards: 0, seconds: 0 } });
        subject.dispose();
      }
      return summaries;
    });
  }

  /** Opens every subject, attacks it, measures, and hands the report to the reporters. */
  async run(loaded: LoadedConfig, screen: Screen): Promise<Report> {
    return this.#guarded(async () => {
      const session = await this.#open(loaded);
      await prepareOutput(session.spec.output);
      const plan = makePlan(session.spec, session.dataset);
      this.#keepExamples(session, plan);
      this.hooks.runStart.call(plan);
      const results: SubjectResult[] = [];
      for (const spec of session.spec.subjects.filter(({ name }) =>
        plan.cells.some((cell) => cell.subject === name),
      )) {
        if (session.ctx.signal.aborted) break;
        const result = await this.#attack(spec, plan, session);
        if (result) results.push(result);
      }
      const report = judged(this.hooks.summarize.call(makeReport(session, results)), session.gates);
      const dir = session.spec.output;
      const write = (name: string, content: string | Uint8Array) => writeAtomically(join(dir, name), content);
      await this.hooks.report.promise(report, { ...screen, dir, write });
      return report;
    });
  }

  async #open(loaded: LoadedConfig): Promise<Session> {
    const startedAt = new Date();
    const config = loaded.value as CompleteConfig;
    for (const plugin of config.plugins ?? [])
      this.use(await this.registry.hookPlugin(plugin, loaded.baseDir));
    const spec = await resolveSpec(loaded, this.registry);
    const gates = await openGates(loaded, this.#options.cwd);
    checkGates(gates, spec);
    for (const { plugin } of allPlugins(spec)) installPlugin(this.hooks, plugin);
    for (const reporter of spec.reporters) {
      this.hooks.report.tapPromise(reporter.plugin.name, async (report, target) =>
        reporter.plugin.report(report, reporter.options, target),
      );
    }
    const engine = await startEngine(config.backend, this.registry, this.#options);
    this.hooks.environment.call(engine.info);
    const ctx = this.#context(spec);
    const { plugin, options } = spec.dataset;
    const opened = this.hooks.dataset.for(plugin.name).promise(undefined, options, ctx);
    const dataset = await checkDataset(plugin.name, await advised(opened, loaded.withoutData));
    const opponents = { rivals: spec.rivals, earlier: [] };
    return { spec, engine, dataset, ctx, gates, opponents, startedAt };
  }

  #context({ seed, baseDir }: RunSpec): Context {
    const { log, signal, cacheDir } = this.#options;
    return { tf: tensorflow, log, signal, cacheDir, baseDir, random: makeRandom(seed) };
  }

  /** Opens a subject, after the one that it starts from. */
  async #subject(subject: SubjectSpec, session: Session): Promise<Subject> {
    const { output, seed, subjects } = session.spec;
    const origin = subjects.find(({ name }) => name === subject.weightsFrom);
    if (origin) (await this.#subject(origin, session)).dispose();
    const startDir = origin ? (origin.weights ?? join(subjectDir(output, origin.name), 'weights')) : null;
    const dir = subjectDir(output, subject.name);
    return openSubject({ ...session, spec: subject, dir, startDir, seed, hooks: this.hooks });
  }

  #keepExamples({ spec, dataset }: Session, plan: Plan): void {
    const { examples: count, output: dir, metrics } = spec;
    if (count > 0) this.use(keepExamples({ count, dir, metric: metrics[0]!.plugin, dataset, plan }));
  }

  /** Nothing when the person interrupted before the subject was ready. */
  async #attack(spec: SubjectSpec, plan: Plan, session: Session): Promise<SubjectResult | undefined> {
    const { signal } = session.ctx;
    const subject = await this.#subject(spec, session).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (!subject) return undefined;
    const { attacks, metrics, batch, memoryLimit, share, seed, fresh, output } = session.spec;
    const { cells, images } = plan;
    const common = { ...session, attacks, cells, metrics, images, share, seed, fresh };
    const dir = join(output, 'cells');
    const { segmenter } = subject;
    const sweep = { ...common, name: spec.name, segmenter, dir, hooks: this.hooks };
    const file = join(subjectDir(output, spec.name), 'batch.json');
    const { result, chosen } = await withBatch({ ...sweep, batch, memoryLimit, file }, async (sized) => {
      const swept = await sweepSubject(sized);
      const audit = await auditSubject(sized, swept.rows, session.spec.audit, session.opponents);
      return { ...swept, audit };
    });
    subject.dispose();
    return [{ ...subject.summary, ...(chosen && { batch: chosen }), cost: result.cost }, result];
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.hooks.shutdown.call();
    }
  }
}

/** The folder of a subject inside the run folder. */
function subjectDir(output: string, name: string): string {
  return join(output, 'subjects', name.replaceAll(/[^\w.+-]+/g, '_'));
}

/** The report with what its gates say, where there are some. */
function judged(report: Report, { rules, baseline }: Gates): Report {
  return rules.length === 0 ? report : { ...report, gates: applyGates(report, rules, baseline) };
}

function allPlugins({ dataset, subjects, attacks, rivals, metrics }: RunSpec) {
  return [
    dataset,
    ...subjects.flatMap(({ model, defenses }) => [model, ...defenses]),
    ...attacks,
    ...rivals,
    ...metrics,
  ];
}
