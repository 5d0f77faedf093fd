import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { drawMasks } from '../layers/index.ts';
import type { CompiledStep, Engine, Step } from '../plugin.ts';
import { adamScales } from './adam.ts';
import type { Batch } from './batches.ts';
import { modelVariables, pack, trainingStep, unpackInto, type Trainable } from './step.ts';

/** The learnt state on the host, by name: `weights`, `first`, `second` and, where there are any, `fixed`. */
export type Vectors = Readonly<Record<string, Float32Array>>;

/** Size of one batch: `[N,H,W,C]`. */
export type BatchShape = readonly [count: number, height: number, width: number, channels: number];

/** Holds the weights and the moments of a training, and moves them one step at a time. */
export class Learner {
  readonly #network: Trainable;
  readonly #shape: BatchShape;
  readonly #step: Step;
  readonly #compiled: CompiledStep | undefined;
  #state: Tensor[];

  constructor(network: Trainable, weightDecay: number, shape: BatchShape, compile: Engine['compile']) {
    this.#network = network;
    this.#shape = shape;
    const { trained, fixed } = modelVariables(network.model);
    const weights = pack(trained);
    const moments = [tf.zerosLike(weights), tf.zerosLike(weights)];
    this.#state = [weights, ...moments, ...(fixed.length > 0 ? [pack(fixed)] : [])];
    this.#step = trainingStep(network, weightDecay);
    this.#compiled = compile?.(this.#step);
  }

  /** Learns from one batch and returns its loss; `step` counts from 1 over the whole training. */
  async learn(batch: Batch, learningRate: number, step: number): Promise<number> {
    const [loss, ...state] = this.#run(batch, learningRate, step);
    tf.dispose(this.#state);
    this.#state = state;
    const [value] = await loss!.data();
    loss!.dispose();
    return value!;
  }

  /**
   * Runs a compiled step once for nothing. Engines record a step during its first call, whose outputs may differ in
   * the last bits from those of later calls: without this, the first step after resuming would.
   */
  warmUp(batch: Batch): void {
    if (this.#compiled) tf.dispose(this.#run(batch, 0, 1));
  }

  #run(batch: Batch, learningRate: number, step: number): Tensor[] {
    return tf.tidy(() => (this.#compiled ?? this.#step)(...this.inputs(batch, learningRate, step)));
  }

  /** What the step that learns from this batch is given. */
  inputs({ images, masks }: Batch, learningRate: number, step: number): Tensor[] {
    const [count, height, width, channels] = this.#shape;
    const { stepSize, rootCorrection } = adamScales(learningRate, step);
    return [
      tf.tensor4d(images, [count, height, width, channels]),
      tf.tensor3d(masks, [count, height, width], 'int32'),
      tf.scalar(stepSize),
      tf.scalar(rootCorrection),
      ...this.#state,
      ...drawMasks(this.#network.model, step, count),
    ];
  }

  /** Puts the learnt weights and statistics into the model. */
  commit(): void {
    const { trained, fixed } = modelVariables(this.#network.model);
    unpackInto(trained, this.#state[0] as Tensor1D);
    if (this.#state[3]) unpackInto(fixed, this.#state[3] as Tensor1D);
  }

  async vectors(): Promise<Vectors> {
    const values = await Promise.all(this.#state.map((tensor) => tensor.data()));
    return Object.fromEntries(values.map((value, at) => [NAMES[at]!, value as Float32Array]));
  }

  /** Whether these vectors have the sizes of this learner's. */
  fits(vectors: Vectors): boolean {
    return this.#state.every(({ size }, at) => vectors[NAMES[at]!]?.length === size);
  }

  restore(vectors: Vectors): void {
    tf.dispose(this.#state);
    this.#state = this.#state.map((_, at) => tf.tensor1d(vectors[NAMES[at]!]!));
  }

  dispose(): void {
    tf.dispose(this.#state);
    this.#compiled?.dispose();
  }
}

const NAMES = ['weights', 'first', 'second', 'fixed'];
