import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

/** What an output holds. */
export type Kind = 'logits' | 'probabilities' | 'labels';

/** What a network computed: `[N,H,W,K]`, `[N,K,H,W]` or `[N,H,W]`, not known which. */
export interface Made {
  readonly shape: readonly number[];
  /** The tensor with its axes in another order. */
  as(order: readonly number[]): Tensor;
}

/** A network that was made elsewhere, before it is known what it means. */
export interface ForeignModel {
  /** Where it comes from, for messages. */
  readonly path: string;
  /** Hash of graph and weights. */
  readonly fingerprint: string;
  /** Trainable parameters. */
  readonly parameters?: number;
  /** Sizes that it is built for; undefined where it takes any. */
  readonly input: Sides;
  /** The output to score, and what it holds: null where only its values can tell. */
  readonly output: { readonly name: string; readonly kind: Kind | null };
  /** Which axis of the output holds the classes, where that is known. */
  readonly layout?: 'nhwc';
  /** Set where it cannot be differentiated. */
  readonly gradient?: false | undefined;
  /** What its input takes for a data set whose brightest value is `high`, as far as the file tells. */
  scale(high: number): Scale;
  /** The output for images `[N,H,W,C]`, scaled as it wants them. */
  compute(images: Tensor4D): Made;
  dispose(): void;
}

export interface Sides {
  readonly batch: number | undefined;
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly channels: number | undefined;
}

/** What intensities are multiplied by, and why. */
export interface Scale {
  readonly value: number;
  readonly reason: string;
}
