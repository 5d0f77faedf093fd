/**
 * What a plugin is. A plugin file has one default export made by one of the `define...` helpers below; bundled
 * plugins and third-party plugins are the same thing.
 *
 * @packageDocumentation
 */
import type { Scalar, Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { OptionsOf, OptionsSchema } from './options.ts';
import type { ModelDescription, VerifiedOutput } from './models/description.ts';
import type { Runner } from './runner.ts';
import type {
  Budget,
  Confusion,
  Context,
  Dataset,
  EngineInfo,
  IntensityDomain,
  MaskPair,
  Norm,
  Report,
  Segmenter,
  Split,
} from './vocabulary.ts';

export type { OptionSchema, OptionsOf, OptionsSchema } from './options.ts';

/** Recognises plugins across copies of this package, where `instanceof` would not. */
const BRAND = Symbol.for('robust.plugin');

/** The kinds of plugin. */
export const kinds = ['dataset', 'model', 'defense', 'attack', 'metric', 'backend', 'reporter'] as const;
export type Kind = (typeof kinds)[number];

/** What every plugin tells about itself. */
export interface PluginBase<K extends Kind, S extends OptionsSchema> {
  readonly kind: K;
  /** Kebab-case; also the name of its file. */
  readonly name: string;
  /** One sentence for lists and help. */
  readonly summary: string;
  readonly options: S;
  /** Papers or pages that the plugin follows. */
  readonly references?: readonly string[];
}

/** Delivers annotated images. */
export interface DatasetPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'dataset', S> {
  load(options: OptionsOf<S>, ctx: Context): Promise<Dataset>;
  /** Endings of the image patterns that it wants from `robust run --images ...`; without them it takes the others. */
  readonly extensions?: readonly string[];
  /** Options for images and masks that are given as file patterns in a folder: `robust run --images ... --masks ...`. */
  fromPatterns?(root: string, images: string, masks: string): Readonly<Record<string, unknown>>;
}

/** The images that a model will see. */
export interface ImageRequest {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly domain: IntensityDomain;
}

/** What a model is opened for. */
export interface ModelRequest extends ImageRequest {
  readonly classes: readonly string[];
}

/** What a model is looked at with; what the person did not say is absent. */
export type InspectRequest = Partial<Omit<ModelRequest, 'domain'>> & Pick<ModelRequest, 'domain'>;

/** What a finished model is opened for. */
export interface OpenRequest extends ModelRequest {
  /** The training samples of the data set, for a model that takes something from them; there may be none. */
  readonly train: Split;
}

/** A finished model that brings its own weights. */
export interface OpenModelPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'model', S> {
  /** Endings of the files that it opens, such as `.onnx`, or whole names of a file in a folder; it takes the place as its option `path`. */
  readonly extensions?: readonly string[];
  open(request: OpenRequest, options: OptionsOf<S>, ctx: Context): Promise<Segmenter>;
  /** What the model is made of, where that can be told; core describes networks itself. */
  inspect?(request: InspectRequest, options: OptionsOf<S>, ctx: Context): Promise<ModelDescription>;
  /** Compares the model with inputs and outputs that a folder holds. */
  verify?(dir: string, options: OptionsOf<S>, ctx: Context): Promise<readonly VerifiedOutput[]>;
}

/** What a network is built from. */
export interface NetworkInput extends ModelRequest {
  /** The image, `[N,H,W,C]` in intensity units. */
  readonly image: SymbolicTensor;
  /** Lets architecture defenses transform features at a named point; call it exactly once per tap. */
  tap(name: string, features: SymbolicTensor): SymbolicTensor;
  /** A new seed at every call, for initialisers and dropout. */
  seed(): number;
}

/** A trainable architecture, written with `ctx.tf.layers`; core trains, stores, loads and wraps it. */
export interface NetworkPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'model', S> {
  /** Where defenses may transform features, in forward order. */
  readonly taps: readonly string[];
  /** Returns logits `[N,H,W,K]`. With several outputs the first is the one that is scored and attacked. */
  build(
    input: NetworkInput,
    options: OptionsOf<S>,
    ctx: Context,
  ): SymbolicTensor | readonly [SymbolicTensor, ...SymbolicTensor[]];
  /** Training loss of a batch, from all outputs of `build` and masks `[N,H,W]`; cross-entropy when absent. */
  loss?(outputs: readonly Tensor4D[], masks: Tensor3D, options: OptionsOf<S>, ctx: Context): Scalar;
}

export type ModelPlugin<S extends OptionsSchema = OptionsSchema> = OpenModelPlugin<S> | NetworkPlugin<S>;

/** One tap as an architecture defense sees it. */
export interface TapPoint {
  readonly name: string;
  readonly features: SymbolicTensor;
  seed(): number;
}

/** Makes a model harder to attack, at any of three places; a plugin fills in those it uses. */
export interface DefensePlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'defense', S> {
  /** Architecture defense: returns features of the same shape, or `features` itself to leave a tap alone. */
  transform?(tap: TapPoint, options: OptionsOf<S>, ctx: Context): SymbolicTensor;
  /** Input defense: `[N,H,W,C]` in intensity units to the same, differentiable. */
  input?(x: Tensor4D, domain: IntensityDomain, options: OptionsOf<S>, ctx: Context): Tensor4D;
  /** Output defense: logits to logits, differentiable. */
  output?(logits: Tensor4D, options: OptionsOf<S>, ctx: Context): Tensor4D;
}

/** A segmenter as an attack sees it: every call is counted. */
export interface AttackedModel {
  readonly channels: number;
  readonly domain: IntensityDomain;
  readonly classes: number;
  /** Logits `[N,H,W,channels]` of images in intensity units. */
  logits(x: Tensor4D): Tensor4D;
  /**
   * Gradient of `loss(logits(x))` with respect to x, of the shape of x.
   *
   * @param key with it the engine may compute the gradient as one function, several times as fast: every loss that an
   *   attack gives under one key must compute the same, from nothing but the logits and `inputs`
   * @param inputs what the loss is given after the logits
   */
  gradient(x: Tensor4D, loss: AttackLoss, key?: string, inputs?: readonly Tensor[]): Tensor4D;
}
export type AttackLoss = (logits: Tensor4D, ...inputs: Tensor[]) => Scalar;

/** What an attack works on. Batches have one fixed size; the last one is padded. */
export interface AttackRequest {
  readonly model: AttackedModel;
  /** Clean images `[N,H,W,C]` in intensity units. */
  readonly x: Tensor4D;
  /** True classes `[N,H,W]`, int32. */
  readonly truth: Tensor3D;
  /** What the attack wants to be predicted, `[N,H,W]`, int32; the truth itself for untargeted attacks. */
  readonly goal: Tensor3D;
  /** Sample ids, one per image: seeds derive from them. */
  readonly ids: readonly string[];
  readonly budget: Budget;
}

/** Makes adversarial images. Core clips the result to the ball and the range, verifies it and scores it. */
export interface AttackPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'attack', S> {
  readonly norm: Norm;
  /** Goal masks `[N,H,W]` (int32) of a targeted attack, from the true masks. */
  goal?(truth: Tensor3D, classes: number, options: OptionsOf<S>, ctx: Context): Tensor3D;
  /** Adversarial images for `request.x`, of the same shape. */
  perturb?(request: AttackRequest, options: OptionsOf<S>, ctx: Context): Tensor4D | Promise<Tensor4D>;
  /** Present on attacks made by `defineIterativeAttack`; core walks them. */
  readonly iteration?: Iteration<S>;
}

/** An attack of the form x(t+1) = clip(x(t) + stepSize * direction(gradient of loss)). */
export interface Iteration<S extends OptionsSchema = OptionsSchema> {
  /** Number of gradient steps for a budget. */
  steps(eps: number, options: OptionsOf<S>): number;
  /** Step length in intensity units. Budgets with equal step length share one trajectory. */
  stepSize(eps: number, options: OptionsOf<S>): number;
  /** Scalar whose gradient drives the attack, summed over images so that images do not influence each other. */
  loss(
    logits: Tensor4D,
    masks: { truth: Tensor3D; goal: Tensor3D },
    options: OptionsOf<S>,
    ctx: Context,
  ): Scalar;
  /** Where to go, and what to remember; minus the gradient's sign when absent (descent). */
  direction?(
    gradient: Tensor4D,
    memory: Tensor4D | null,
    options: OptionsOf<S>,
    ctx: Context,
  ): { direction: Tensor4D; memory?: Tensor4D };
}

/** Scores one class of one image. */
export interface MetricPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'metric', S> {
  /** Whether larger values are better. */
  readonly better: 'higher' | 'lower';
  /** What `measure` sees beside the masks: it costs time, so it is made for metrics that say so. */
  readonly needs?: { readonly probability?: boolean; readonly goal?: boolean };
  /** What the metric gives when prediction or truth is empty, in one sentence. */
  readonly empty: string;
  /** The value for one image, NaN where it is undefined. */
  measure(pair: MaskPair, options: OptionsOf<S>): number;
  /** The value for counts that were summed over images, where that makes sense. */
  pool?(confusion: Confusion, options: OptionsOf<S>): number;
}

/** Whether a backend can run here. */
export interface Availability {
  readonly available: boolean;
  /** Version and device, or the reason why not. */
  readonly detail: string;
  /** The command that would help. */
  readonly advice?: string;
}

/** A running backend. */
export interface Engine {
  readonly info: EngineInfo;
  /**
   * Makes a step that is called many times with inputs of the same shapes fast; the result computes what `step`
   * computes. Engines without it run the step as it is.
   */
  compile?(step: Step): CompiledStep;
}

/** A function of tensors alone: everything else it uses must stay the same from call to call. */
export type Step = (...inputs: Tensor[]) => Tensor[];
export type CompiledStep = Step & { dispose(): void };

/** What a backend may use: there is no `tf` yet. */
export type BackendContext = Pick<Context, 'log' | 'signal' | 'cacheDir'>;

/** How a backend is to be installed. */
export interface InstallRequest {
  /** Install the build for NVIDIA GPUs. */
  readonly gpu: boolean;
  /** Install again even when it is there. */
  readonly force: boolean;
}

/** An execution engine of TensorFlow.js. */
export interface BackendPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'backend', S> {
  /** `auto` tries backends by falling preference; those at 0 or below only run when asked for by name. */
  readonly preference: number;
  /** Why not to rely on it yet, where that is so: lists and runs say it. */
  readonly experimental?: string;
  probe(options: OptionsOf<S>, ctx: BackendContext): Promise<Availability>;
  /** Makes it the backend of this process. */
  start(options: OptionsOf<S>, ctx: BackendContext): Promise<Engine>;
  /** Brings what it needs to this machine (`robust backend install`); says in one line what it did. */
  install?(how: InstallRequest, ctx: BackendContext): Promise<string>;
  /** Takes that away again; says in one line what it did. */
  remove?(ctx: BackendContext): Promise<string>;
}

/** Where a reporter writes. */
export interface ReportTarget {
  /** The run folder. */
  readonly dir: string;
  /** Writes to standard output. */
  print(text: string): void;
  /** Writes a file of the run folder, whole or not at all. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Columns of the terminal, 80 when unknown. */
  readonly columns: number;
  readonly colour: boolean;
}

/** Shows a finished (or interrupted) run. */
export interface ReporterPlugin<S extends OptionsSchema = OptionsSchema> extends PluginBase<'reporter', S> {
  /** Whether it writes to standard output; at most one such reporter runs under `--json`. */
  readonly prints: boolean;
  report(report: Report, options: OptionsOf<S>, target: ReportTarget): void | Promise<void>;
}

/** Anything that wants the hooks themselves. */
export interface HookPlugin {
  readonly kind: 'hooks';
  readonly name: string;
  apply(runner: Runner): void;
}

/** The plugin type of each kind. */
export interface PluginOf {
  dataset: DatasetPlugin;
  model: ModelPlugin;
  defense: DefensePlugin;
  attack: AttackPlugin;
  metric: MetricPlugin;
  backend: BackendPlugin;
  reporter: ReporterPlugin;
}

export type Plugin = PluginOf[Kind];

/** A plugin without its kind, as authors write it. */
type Draft<P> = Omit<P, 'kind'>;

function brand<P extends { readonly name: string }>(plugin: P): P {
  return Object.freeze(Object.defineProperty(plugin, BRAND, { value: true }));
}

/** Whether a value was made by one of the helpers here, in whichever copy of this package. */
export function isPlugin(value: unknown): value is Plugin | HookPlugin {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}

export function defineDataset<const S extends OptionsSchema>(
  draft: Draft<DatasetPlugin<S>>,
): DatasetPlugin<S> {
  return brand({ kind: 'dataset', ...draft });
}

/** A model that comes with its weights; see {@link defineNetwork} for one that core trains. */
export function defineModel<const S extends OptionsSchema>(
  draft: Draft<OpenModelPlugin<S>>,
): OpenModelPlugin<S> {
  return brand({ kind: 'model', ...draft });
}

export function defineNetwork<const S extends OptionsSchema>(
  draft: Draft<NetworkPlugin<S>>,
): NetworkPlugin<S> {
  return brand({ kind: 'model', ...draft });
}

export function defineDefense<const S extends OptionsSchema>(
  draft: Draft<DefensePlugin<S>>,
): DefensePlugin<S> {
  return brand({ kind: 'defense', ...draft });
}

/** An attack that is free in what it does; see {@link defineIterativeAttack} for the gradient-step family. */
export function defineAttack<const S extends OptionsSchema>(
  draft: Draft<Omit<AttackPlugin<S>, 'iteration' | 'perturb'>> & Required<Pick<AttackPlugin<S>, 'perturb'>>,
): AttackPlugin<S> {
  return brand({ kind: 'attack', ...draft });
}

/** An attack by repeated gradient steps. Core walks all budgets along one trajectory where that is exact. */
export function defineIterativeAttack<const S extends OptionsSchema>(
  draft: Draft<Omit<AttackPlugin<S>, 'iteration' | 'perturb'>> & Iteration<S>,
): AttackPlugin<S> {
  const { steps, stepSize, loss, direction, ...rest } = draft;
  const iteration: Iteration<S> = direction
    ? { steps, stepSize, loss, direction }
    : { steps, stepSize, loss };
  return brand({ kind: 'attack', ...rest, iteration });
}

export function defineMetric<const S extends OptionsSchema>(draft: Draft<MetricPlugin<S>>): MetricPlugin<S> {
  return brand({ kind: 'metric', ...draft });
}

export function defineBackend<const S extends OptionsSchema>(
  draft: Draft<BackendPlugin<S>>,
): BackendPlugin<S> {
  return brand({ kind: 'backend', ...draft });
}

export function defineReporter<const S extends OptionsSchema>(
  draft: Draft<ReporterPlugin<S>>,
): ReporterPlugin<S> {
  return brand({ kind: 'reporter', ...draft });
}

/** A plugin that taps hooks: `apply(runner) { runner.hooks.cellEnd.tap(...) }`. */
export function definePlugin(draft: Omit<HookPlugin, 'kind'>): HookPlugin {
  return brand({ kind: 'hooks', ...draft });
}
