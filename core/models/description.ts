/** One layer or operator of a model, for one image. */
export interface LayerDescription {
  readonly name: string;
  /** Its class or operator, such as Conv2D. */
  readonly type: string;
  /** Shape of its (first) output without the batch; null for a side that depends on the input, or where nothing is known. */
  readonly output: readonly (number | null)[] | null;
  /** Parameters that training moves, and others. */
  readonly trainable: number;
  readonly fixed: number;
  /** Of convolutions, dense layers and matrix products; null where that is not known. */
  readonly multiplyAccumulates: number | null;
}

/** What goes into a model file, or comes out of it. */
export interface PortDescription {
  readonly name: string;
  readonly type: string;
  /** Sides that may differ from call to call have a name, or null; null alone where the file does not tell. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** What a model is made of, as `robust inspect` shows it. */
export interface ModelDescription {
  /** In forward order. */
  readonly layers: readonly LayerDescription[];
  /** Where defenses may enter, in forward order. */
  readonly taps: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[];
  /** The first output is scored unless an option says otherwise. */
  readonly outputs: readonly PortDescription[];
  readonly inputs?: readonly PortDescription[];
  /** The image `[H,W,C]` that it was looked at with, where the file had a say in it. */
  readonly image?: readonly [height: number, width: number, channels: number];
  /** Shape of what is attacked, `[H,W,K]`. */
  readonly logits?: readonly number[];
  /** Operators of the file: how often they are used, and whether they are computed here. */
  readonly operators?: readonly {
    readonly name: string;
    readonly count: number;
    readonly computed: boolean;
  }[];
  /** Options that say what was guessed, with their values. */
  readonly suggestion?: Readonly<Record<string, unknown>>;
  /** What was decided, with reasons. */
  readonly notes?: readonly string[];
}

/** One output of one recorded case, compared with what the model computes. */
export interface VerifiedOutput {
  readonly set: string;
  readonly output: string;
  /** Largest difference; infinite where shapes differ. */
  readonly difference: number;
  readonly passed: boolean;
}
