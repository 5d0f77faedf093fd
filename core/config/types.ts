import type { HookPlugin, Kind, OptionsOf, OptionsSchema, PluginOf } from '../plugin.ts';
import type { AuditLevel } from '../vocabulary.ts';

/**
 * Names a plugin: a bundled name (`'unet'`), a package (`'acme/pgd'`), a file (`'./my-attack.ts'`) or the plugin
 * itself; with options, an object whose `use` is one of these and whose other keys are the options.
 */
export type Reference<K extends Kind = Kind> =
  string | PluginOf[K] | { readonly use: string | PluginOf[K]; readonly [option: string]: unknown };

/** How networks are trained. Defaults are the paper's. */
export interface TrainingConfig {
  readonly epochs: number;
  /** Images per step. */
  readonly batch: number;
  readonly learningRate: number;
  /** `plateau` lowers the rate when the loss stops falling; `cosine` from the first to the last epoch. */
  readonly schedule: 'plateau' | 'cosine';
  /** The schedule never goes below this. */
  readonly minLearningRate: number;
  /** On a plateau the learning rate is multiplied by this. */
  readonly factor: number;
  /** Epochs without improvement that make a plateau. */
  readonly patience: number;
  /** L2 penalty added to the gradient, as PyTorch's Adam does. */
  readonly weightDecay: number;
  /** Random horizontal and vertical flips. */
  readonly flips: boolean;
  /** Largest random rotation in degrees, either way. */
  readonly rotation: number;
  /** Layers that learn nothing: names with `*` for any text; `!name` lets a layer learn, the last match counts. */
  readonly freeze: readonly string[];
  /** Part of the training images that is held out to score each epoch. */
  readonly validation: number;
  /** End after so many epochs without a better one: by Dice of the held-out images, else by training loss. */
  readonly stopAfter: number | null;
  /** The weights that are used: those of the last epoch, or of the best one. */
  readonly keep: 'last' | 'best';
}

/**
 * A gate as an object; text such as `'dice >= 0.8 at eps 8'` says the same. It holds one of `metric`, `cost` and
 * `check`, and for a metric one of `min`, `max`, `drop` and `regression`. A place that is left out means every one.
 */
export interface GateConfig {
  readonly level?: 'off' | 'warn' | 'error';
  readonly metric?: string;
  /** What was used: of one subject, or of the whole run. */
  readonly cost?: 'gradients' | 'forwards' | 'seconds';
  /** A check of the audit, or `all`. */
  readonly check?: string;
  readonly subject?: string;
  readonly attack?: string;
  /** In intensity units or as a fraction of the range; 0 is the clean score. */
  readonly eps?: number | string;
  readonly min?: number;
  readonly max?: number;
  /** Largest worsening against the clean score. */
  readonly drop?: number;
  /** Largest worsening against the baseline run. */
  readonly regression?: number;
}

/** A subject as people write it. */
export interface SubjectConfig {
  readonly model: Reference<'model'>;
  readonly defenses?: readonly Reference<'defense'>[];
  /** Folder with `model.json`; trained weights go there, and are taken from there when they are present. */
  readonly weights?: string;
  /** Another subject, whose trained weights are the start wherever layers have the same names. */
  readonly weightsFrom?: string;
  /** Cuts images into overlapping tiles of this size for a model that comes with its weights. */
  readonly tile?: { readonly size: number; readonly overlap?: number };
  readonly training?: Partial<TrainingConfig>;
}

/** The whole configuration as people write it. */
export interface Config {
  /** Presets (`preset:quickstart`) or files that this configuration builds on. */
  readonly extends?: string | readonly string[];
  /** Variants of presets, by name. */
  readonly variants?: readonly string[];
  /** Hook plugins. */
  readonly plugins?: readonly (string | HookPlugin)[];
  readonly seed?: number;
  /** A backend's name, or `auto`. */
  readonly backend?: Reference<'backend'>;
  /** Images per engine call, part of what makes a result reproducible; `auto` takes what fits into memory. */
  readonly batch?: number | 'auto';
  /** Mebibytes that `batch: 'auto'` may use. */
  readonly memoryLimit?: number | null;
  /** Attack only the first so many test images. */
  readonly limit?: number | null;
  /** Let budgets share one trajectory where that is exact. */
  readonly share?: boolean;
  /** Attack again what the run folder holds already; trained weights are kept. */
  readonly fresh?: boolean;
  /** Run only cells whose id contains this text. */
  readonly filter?: string | null;
  /** Keep pictures of the so many most damaged images of each subject and attack. */
  readonly examples?: number;
  /** How much of the masking audit runs. */
  readonly audit?: AuditLevel;
  /** Attacks that an audit of level full brings, and that should reach no further than those of the run. */
  readonly auditAttacks?: readonly Reference<'attack'>[];
  /** The run folder. */
  readonly output?: string;
  readonly dataset?: Reference<'dataset'>;
  /** By name; `{}` is replaced by nothing, and `null` removes a subject that a preset brought. */
  readonly subjects?: Readonly<Record<string, SubjectConfig | null>>;
  readonly attacks?: readonly Reference<'attack'>[];
  /** Attack intensities, in intensity units or as a fraction of the range (`'8/255'`). */
  readonly eps?: readonly (number | string)[];
  readonly metrics?: readonly Reference<'metric'>[];
  readonly reporters?: readonly Reference<'reporter'>[];
  /** Rules that a run must keep, such as `'dice >= 0.8 at eps 8'`. */
  readonly gates?: readonly (string | GateConfig)[];
  /** The report.json of the run that `regression` gates compare with. */
  readonly baseline?: string | null;
  readonly training?: Partial<TrainingConfig>;
}

/** A configuration in which every setting has a value: what the runner works on. */
export interface CompleteConfig extends Omit<Config, 'extends'> {
  readonly variants: readonly string[];
  readonly seed: number;
  readonly backend: Reference<'backend'>;
  readonly batch: number | 'auto';
  readonly memoryLimit: number | null;
  readonly limit: number | null;
  readonly share: boolean;
  readonly fresh: boolean;
  readonly filter: string | null;
  readonly examples: number;
  readonly audit: AuditLevel;
  readonly auditAttacks: readonly Reference<'attack'>[];
  readonly output: string;
  readonly dataset: Reference<'dataset'>;
  readonly subjects: Readonly<Record<string, SubjectConfig>>;
  readonly attacks: readonly Reference<'attack'>[];
  readonly eps: readonly (number | string)[];
  readonly metrics: readonly Reference<'metric'>[];
  readonly reporters: readonly Reference<'reporter'>[];
  readonly gates: readonly (string | GateConfig)[];
  readonly baseline: string | null;
  readonly training: TrainingConfig;
}

/** A plugin with its options, checked and frozen. */
export interface Resolved<K extends Kind> {
  readonly plugin: PluginOf[K];
  readonly options: OptionsOf<OptionsSchema>;
}

/** A configuration after loading and merging, before its references are resolved. */
export interface LoadedConfig {
  readonly value: CompleteConfig;
  /** Dotted path of each leaf to where it came from, such as `preset:quickstart` or `--set`. */
  readonly origins: Readonly<Record<string, string>>;
  /** The folder that relative paths refer to. */
  readonly baseDir: string;
  /** What a person can do when the data set is not there. */
  readonly withoutData?: string;
}
