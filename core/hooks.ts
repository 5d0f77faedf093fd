import {
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  HookMap,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable';
import type { AuditCheck, AuditEvent } from './audit/check.ts';
import { RobustError, suggestion } from './errors/index.ts';
import type { Plan } from './plan/plan.ts';
import type { HookPlugin, OptionsOf, OptionsSchema, Plugin, ReportTarget } from './plugin.ts';
import type { Lookup } from './registry/index.ts';
import type { DefenseRequest, SubjectRequest } from './subjects/request.ts';
import type { Adversarial, Candidate, Evaluation, SweepRequest } from './sweep/request.ts';
import type { TrainingProgress } from './training/trainer.ts';
import type { Context, Dataset, EngineInfo, MaskPair, Report, Segmenter } from './vocabulary.ts';

type Options = OptionsOf<OptionsSchema>;

/** What the taps before made: nothing for the first one, which is the plugin itself. */
export type Made<T> = T | undefined;

/** Where the training of one subject is. */
export type TrainingEvent = TrainingProgress & { readonly subject: string };

/** Where a sweep is. */
export interface ProgressEvent {
  readonly subject: string;
  readonly attack: string;
  /** Images attacked so far, and in all. */
  readonly done: number;
  readonly total: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/**
 * The hooks of a run, in the order of its life. The kinds of plugin are maps by plugin name: the plugin itself is
 * the first tap of its name, and whoever taps the same name later receives what it made and may wrap it.
 */
export function createHooks() {
  return guard({
    /** A reference becomes a plugin; the first tap that returns one wins. */
    resolve: new AsyncSeriesBailHook<[lookup: Lookup], Plugin | HookPlugin | undefined>(['lookup']),
    /** The backend runs. */
    environment: new SyncHook<[engine: EngineInfo]>(['engine']),
    dataset: keyed(
      () =>
        new AsyncSeriesWaterfallHook<[made: Made<Dataset>, options: Options, ctx: Context]>([
          'made',
          'options',
          'ctx',
        ]),
    ),
    /** The cells are known, and the work begins. */
    runStart: new SyncHook<[plan: Plan]>(['plan']),
    model: keyed(
      () =>
        new AsyncSeriesWaterfallHook<[made: Made<Segmenter>, request: SubjectRequest]>(['made', 'request']),
    ),
    defense: keyed(
      () => new SyncWaterfallHook<[segmenter: Segmenter, request: DefenseRequest]>(['segmenter', 'request']),
    ),
    /** A training step ended. */
    training: new SyncHook<[event: TrainingEvent]>(['event']),
    attack: keyed(
      () =>
        new SyncWaterfallHook<[made: Made<AsyncIterable<Adversarial>>, request: SweepRequest]>([
          'made',
          'request',
        ]),
    ),
    /** Adversarial images of one budget, clipped but not yet scored; a tap throws to reject them. */
    verify: new SyncHook<[candidate: Candidate]>(['candidate']),
    metric: keyed(
      () =>
        new SyncWaterfallHook<[value: number, pair: MaskPair, options: Options]>([
          'value',
          'pair',
          'options',
        ]),
    ),
    /** Images of one budget are scored. */
    evaluated: new AsyncSeriesHook<[evaluation: Evaluation]>(['evaluation']),
    /** A batch of images went through all budgets of one attack. */
    progress: new SyncHook<[event: ProgressEvent]>(['event']),
    /** The checks of the masking audit; a tap adds its own to those before it, or leaves some out. */
    audit: new SyncWaterfallHook<[checks: readonly AuditCheck[]]>(['checks']),
    /** A check of the audit begins. */
    auditing: new SyncHook<[event: AuditEvent]>(['event']),
    /** The report is made; a tap may add to it. */
    summarize: new SyncWaterfallHook<[report: Report]>(['report']),
    /** Reporters write. */
    report: new AsyncSeriesHook<[report: Report, target: ReportTarget]>(['report', 'target']),
    /** The run is over, however it ended. */
    shutdown: new SyncHook<[]>([]),
  });
}

export type Hooks = ReturnType<typeof createHooks>;

/** tapable types its HookMap loosely; `for` is all that is needed. */
function keyed<H>(factory: () => H): { for(name: string): H } {
  return new HookMap(factory as never) as unknown as { for(name: string): H };
}

/** Reading a hook that does not exist lists those that do, instead of `undefined.tap is not a function`. */
function guard<T extends object>(hooks: T): Readonly<T> {
  return new Proxy(Object.freeze(hooks), {
    get(target, name, receiver) {
      if (typeof name === 'symbol' || name in target) return Reflect.get(target, name, receiver) as unknown;
      throw new RobustError('HOOK_UNKNOWN', {
        message: `There is no hook called '${name}'.`,
        where: `runner.hooks.${name}`,
        next: suggestion(name, Object.keys(target)),
      });
    },
  });
}
