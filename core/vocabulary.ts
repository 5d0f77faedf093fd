/**
 * The nouns of the whole program, as types only. Every other file, the configuration, the report and the
 * documentation use exactly these words.
 *
 * @packageDocumentation
 */
import type * as tfc from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** TensorFlow.js as plugins see it: the core operators, and `layers`, `model`, `input` and so on. */
export type TensorFlow = typeof tfc & Omit<typeof tfl, keyof typeof tfc>;

/** The values an image can take. Every eps and every step size is in these units (default 0..255, step 1). */
export interface IntensityDomain {
  readonly low: number;
  readonly high: number;
  /** Distance between two neighbouring grey levels: images are quantised to multiples of it. */
  readonly step: number;
}

/** An image in intensity units, row-major `[height, width, channels]`. */
export interface Image {
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly data: Float32Array;
}

/** A mask of class indices, row-major `[height, width]`; 0 is the background, 255 (`IGNORED`) counts nowhere. */
export interface Mask {
  readonly shape: readonly [height: number, width: number];
  readonly data: Uint8Array;
}

/** One annotated image. */
export interface Sample {
  /** Unique within its split; rows, seeds and file names derive from it. */
  readonly id: string;
  /** Samples of one group (a patient, say) are not independent: statistics resample groups. */
  readonly group?: string;
  readonly image: Image;
  readonly mask: Mask;
  /** The truth that predictions are scored against after they are resized to it; without it they are scored as they are. */
  readonly reference?: Mask;
  /** Pixel size of what is scored in millimetres, `[vertical, horizontal]`, where known. */
  readonly spacing?: readonly [vertical: number, horizontal: number];
  /** What else is known of the image, such as a finding; copied into the rows of a report. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** A list of samples that are produced on demand. */
export interface Split {
  readonly ids: readonly string[];
  /** Reads one sample; the same index always gives the same bytes. */
  get(index: number): Promise<Sample>;
}

/** What a dataset plugin delivers. All images share one size and channel count. */
export interface Dataset {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly domain: IntensityDomain;
  /** Class names; index 0 is the background. */
  readonly classes: readonly string[];
  readonly train: Split;
  readonly test: Split;
  /** Identifies the content: two data sets with equal fingerprints hold equal samples. */
  readonly fingerprint: string;
  /** Things a person should know about the data: missing files, skipped pairs. */
  readonly notes: readonly string[];
}

/**
 * What is attacked: a differentiable map from images in intensity units to logits, in inference mode.
 * Normalisation happens inside it.
 */
export interface Segmenter {
  /** Channels of the logits; 1 means one sigmoid logit for the foreground. */
  readonly channels: number;
  /** `[N,H,W,C]` in intensity units to `[N,H,W,channels]`. */
  logits(x: tfc.Tensor4D): tfc.Tensor4D;
  /** Hash of graph and weights. */
  readonly fingerprint: string;
  /** Set on a baseline that says the same whatever it sees: its gradient is zero by design. */
  readonly blind?: true;
  /** Set where there is no gradient: only attacks that need none work, and its steps are never compiled. */
  readonly gradient?: false;
  /** What a person should know about the model: what its file did not say and was decided, with reasons. */
  readonly notes?: readonly string[];
  dispose(): void;
}

/** How far an attack may go. */
export interface Budget {
  readonly norm: Norm;
  /** Radius of the ball around the clean image, in intensity units. */
  readonly eps: number;
}

export type Norm = 'linf';

/** Seeded random numbers: a pure function of (run seed, sample id, restart). */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform whole number in [0, n). */
  below(n: number): number;
}

/** Talk for people; the runner decides where it goes. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

/** What every plugin function receives beside its options. */
export interface Context {
  readonly tf: TensorFlow;
  readonly log: Logger;
  /** Aborted when the person interrupts the run. */
  readonly signal: AbortSignal;
  /** A folder that outlives the run, for what is expensive to make again. */
  readonly cacheDir: string;
  /** The folder that relative paths in the configuration refer to. */
  readonly baseDir: string;
  /** Random numbers of this run for one key, such as a sample id. */
  random(...key: readonly (string | number)[]): Random;
}

/** True and false positives and negatives of one class. */
export interface Confusion {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/** Prediction and truth of one class in one image, as 0/1 masks. Pairs of one sample share their `truth`. */
export interface MaskPair {
  readonly shape: readonly [height: number, width: number];
  readonly prediction: Uint8Array;
  readonly truth: Uint8Array;
  /** Without the pixels that count nowhere. */
  readonly confusion: Confusion;
  /** 1 for each pixel that counts nowhere; both masks are empty there. Absent where all count. */
  readonly ignored?: Uint8Array;
  readonly spacing?: readonly [vertical: number, horizontal: number];
  /** Probability of the class, pixel by pixel; present for metrics that need it. */
  readonly probability?: Float32Array;
  /** The class in the goal of a targeted attack, as 0/1 mask; present under such attacks for metrics that need it. */
  readonly goal?: Uint8Array;
}

/** Metric values, achieved norm and cost of one image in one cell. */
export interface Row {
  readonly cell: string;
  readonly subject: string;
  /** `clean` for the untouched image. */
  readonly attack: string;
  readonly eps: number;
  readonly sample: string;
  readonly group: string;
  /** What the data set tells about the image. */
  readonly metadata?: NonNullable<Sample['metadata']>;
  /** Largest absolute change of a pixel, in intensity units. */
  readonly linf: number;
  /** Gradient evaluations this image needed beyond those it shared with smaller budgets. */
  readonly gradients: number;
  /** Metric values per metric name, and per `name:class` where there are several; null where undefined. */
  readonly values: Readonly<Record<string, number | null>>;
  /** Summed counts per foreground class, for pooled metrics. */
  readonly confusion: readonly Confusion[];
}

/** One point of a curve. */
export interface Point {
  readonly eps: number;
  /** Mean over images of the per-image values; null when no image has one. */
  readonly mean: number | null;
  /** Bounds of the 95 % confidence interval of the mean. */
  readonly low: number | null;
  readonly high: number | null;
  /** The metric of the counts summed over all images; null for metrics without counts. */
  readonly pooled: number | null;
  /** Images with a defined value. */
  readonly n: number;
  /** Images whose value is undefined. */
  readonly undefined: number;
}

/** Metric against eps for one subject and attack; eps 0 is the clean score. */
export interface Curve {
  readonly subject: string;
  readonly attack: string;
  readonly metric: string;
  readonly points: readonly Point[];
  /** Whether larger values of the metric are better. */
  readonly better?: 'higher' | 'lower';
  readonly summary?: CurveSummary;
}

/** A curve in few numbers. */
export interface CurveSummary {
  /** Mean height of the curve from the clean score to `areaTo`, by the trapezoid rule on the eps of the run. */
  readonly area: number | null;
  /** The largest eps, in intensity units. */
  readonly areaTo: number;
  /** Per point, the mean over images of the worst value so far: it never recovers. */
  readonly envelope: readonly (number | null)[];
  /** The smallest eps at which the mean is at or below a level, interpolated; null when it never is. */
  readonly crossings: readonly { readonly level: number; readonly eps: number | null }[];
}

/** A subject against another one, or against itself in another run, image by image in one cell. */
export interface Comparison {
  readonly metric: string;
  /** `clean` for eps 0. */
  readonly attack: string;
  readonly eps: number;
  readonly subject: string;
  /** A subject; `baseline:NAME` is one of the baseline run. */
  readonly reference: string;
  /** Mean of subject minus reference, with the bounds of its 95 % interval. */
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Wilcoxon's signed-rank test, two-sided; then corrected after Holm over all cells of the metric. */
  readonly p: number | null;
  readonly pHolm: number | null;
  /** Images with a value in both; images without. */
  readonly n: number;
  readonly undefined: number;
}

/** Pictures of one image under one budget: lossless PNG files, relative to the run folder. */
export interface Example {
  readonly subject: string;
  /** The attack whose damage ranked the image, also where eps is 0 and nothing was attacked. */
  readonly attack: string;
  readonly eps: number;
  readonly sample: string;
  readonly image: string;
  readonly adversarial: string;
  /** Masks of class indices, spread over black to white. */
  readonly truth: string;
  readonly prediction: string;
}

/** What a run or a part of it consumed. */
export interface Cost {
  /** Gradient evaluations, counted per image. */
  readonly gradients: number;
  /** Forward passes, counted per image. */
  readonly forwards: number;
  readonly seconds: number;
}

/** What one epoch of training came to. */
export interface TrainingEpoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean loss over the epoch's steps. */
  readonly loss: number;
  readonly learningRate: number;
  /** Mean Dice over a few training images as they are, in inference mode. */
  readonly dice: number;
  /** Mean Dice over the held-out images; null where none are held out. */
  readonly validation: number | null;
  readonly seconds: number;
}

/** A model with its defenses and weights. */
export interface SubjectSummary {
  readonly name: string;
  readonly model: string;
  readonly defenses: readonly string[];
  readonly fingerprint: string;
  readonly parameters: number | null;
  /** Set on a baseline that does not look at the image: a floor, which no attack moves. */
  readonly blind?: true;
  /** Set on a model without a gradient. */
  readonly gradient?: false;
  /** What a person should know about the model, such as what was guessed. */
  readonly notes?: readonly string[];
  /** How its weights came about; absent where that is not known. */
  readonly training?: readonly TrainingEpoch[];
  /** Images per engine call, where they were chosen. */
  readonly batch?: number;
  readonly cost: Cost;
}

/** What a backend says about itself once it runs. */
export interface EngineInfo {
  readonly backend: string;
  readonly version: string;
  readonly device: string;
  readonly threads: number;
}

/** How much of the masking audit runs: nothing, what costs a few passes, or everything. */
export type AuditLevel = 'off' | 'quick' | 'full';

/** What one check of the masking audit found. */
export type Verdict = 'pass' | 'warn' | 'fail' | 'not-run';

/** One line of the masking audit: a check of one subject and, where it is about an attack, of that attack on it. */
export interface AuditResult {
  /** Name of the check, kebab-case. */
  readonly check: string;
  readonly title: string;
  readonly subject: string;
  readonly attack?: string;
  readonly verdict: Verdict;
  /** What was measured; `images` is the number of images it was measured on. */
  readonly numbers: Readonly<Record<string, number | null>>;
  /** What was seen, in one sentence. */
  readonly message: string;
  /** What to do, in one sentence; empty where nothing is wrong. */
  readonly advice: string;
}

/** What one gate says about one place; what does not apply is absent, what could not be measured is null. */
export interface GateResult {
  /** The rule as the person wrote it. */
  readonly rule: string;
  readonly level: 'warn' | 'error';
  readonly verdict: 'pass' | 'warn' | 'fail' | 'inconclusive' | 'error';
  readonly metric?: string;
  readonly subject?: string;
  readonly attack?: string;
  readonly eps?: number;
  /** The mean, or the mean worsening, with the bounds of its 95 % interval; or the cost. */
  readonly measured: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly threshold: number | null;
  readonly message: string;
  /** Where the rule is configured: file, and line when it is known. */
  readonly origin?: string;
}

/** What a run held in memory. */
export interface MemoryUse {
  /** The most that the process held. */
  readonly peakBytes: number;
  /** Tensors that were left when the last subject was closed. */
  readonly tensors: number;
}

/** The result of a run: the content of report.json. */
export interface Report {
  readonly schema: 'robust-report/1';
  readonly status: 'complete' | 'interrupted';
  readonly startedAt: string;
  readonly seed: number;
  readonly engine: EngineInfo;
  readonly versions: Readonly<Record<string, string>>;
  readonly dataset: {
    readonly name: string;
    readonly fingerprint: string;
    readonly classes: readonly string[];
    readonly size: readonly [height: number, width: number, channels: number];
    readonly domain: IntensityDomain;
    readonly images: number;
    readonly notes: readonly string[];
  };
  readonly subjects: readonly SubjectSummary[];
  readonly curves: readonly Curve[];
  readonly rows: readonly Row[];
  /** Every subject against the first, and against the baseline run where there is one. */
  readonly comparisons?: readonly Comparison[];
  /** The most damaged images of each subject and attack, the worst first, under every budget. */
  readonly examples?: readonly Example[];
  /** Whether the curves can be trusted; absent when the audit was off. */
  readonly audit?: readonly AuditResult[];
  readonly cost: Cost;
  readonly memory?: MemoryUse;
  /** What the configured gates say. */
  readonly gates?: readonly GateResult[];
  readonly configuration: unknown;
  /** Where each configured value came from: dotted path to origin. */
  readonly origins: Readonly<Record<string, string>>;
}
