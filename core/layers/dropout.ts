import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor } from '@tensorflow/tfjs-core';

/** A layer that multiplies its input with random numbers while training implements this to be reproducible. */
export interface Stochastic {
  /** The factors `[count, ...]` of one training step: a pure function of the layer's seed and the step. */
  drawMask(step: number, count: number): Tensor;
  /** Sets the factors of the training calls that follow; without any the layer draws those of step 0. */
  useMask(mask: Tensor | undefined): void;
}

interface DropoutArgs {
  readonly name: string;
  /** Probability that a value is set to 0, in [0, 1); for normal noise what gives the same variance. */
  readonly rate: number;
  readonly seed: number;
}

/** A layer that multiplies its input while training with numbers that are a function of (seed, training step). */
abstract class SeededNoise extends tfl.layers.Layer implements Stochastic {
  override readonly supportsMasking = true;
  protected readonly args: DropoutArgs;
  #shape: readonly number[] = [];
  #mask: Tensor | undefined;

  constructor(args: DropoutArgs) {
    super({ name: args.name });
    this.args = args;
  }

  /** One factor from two independent uniform numbers in [0, 1). */
  protected abstract factor(first: number, second: number): number;

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    this.#shape = (shape as number[]).slice(1);
    super.build(shape);
  }

  drawMask(step: number, count: number): Tensor {
    const shape = [count, ...this.#shape];
    const start = mix(mix(this.args.seed) + step);
    const uniform = (at: number) => mix(start + at) / 2 ** 32;
    const factors = new Float32Array(tf.util.sizeFromShape(shape));
    for (let i = 0; i < factors.length; i++) factors[i] = this.factor(uniform(2 * i), uniform(2 * i + 1));
    return tf.tensor(factors, shape);
  }

  useMask(mask: Tensor | undefined): void {
    this.#mask = mask;
  }

  override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    if (kwargs.training !== true) return x;
    return tf.tidy(() => tf.mul(x, this.#mask ?? this.drawMask(0, x.shape[0]!)));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.args.rate, seed: this.args.seed };
  }
}

/** A 32-bit hash in which every bit of the argument reaches every bit of the result. Source: MurmurHash3, fmix32. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

class SeededDropout extends SeededNoise {
  static readonly className = 'Dropout';

  override factor(first: number): number {
    return first < this.args.rate ? 0 : 1 / (1 - this.args.rate);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), noiseShape: null };
  }
}

class SeededGaussianDropout extends SeededNoise {
  static readonly className = 'GaussianDropout';

  /** Box and Muller, 1958. */
  override factor(first: number, second: number): number {
    const { rate } = this.args;
    const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
    return 1 + Math.sqrt(rate / (1 - rate)) * normal;
  }
}

/**
 * Dropout whose mask is a pure function of (seed, training step) and the same on every backend; tf.layers' own repeats
 * one mask for ever when it is seeded, and cannot be reproduced when it is not. Saved as a standard `Dropout` layer.
 */
export function dropout(args: DropoutArgs): tfl.layers.Layer {
  return new SeededDropout(args);
}

/**
 * Multiplication by normal noise of mean 1 and variance rate / (1 - rate), as reproducible as {@link dropout}. Saved as a
 * standard `GaussianDropout` layer. Source: Srivastava et al., Dropout, JMLR 2014, section 10.
 */
export function gaussianDropout(args: DropoutArgs): tfl.layers.Layer {
  return new SeededGaussianDropout(args);
}

/**
 * The masks of all stochastic layers of a model for one batch. The step must never repeat within a training run and
 * must survive resuming (epoch * steps per epoch + step), so that an interrupted training continues with the masks
 * it would have had.
 */
export function drawMasks(model: tfl.LayersModel, step: number, count: number): Tensor[] {
  return stochastic(model).map((layer) => layer.drawMask(step, count));
}

/** Runs `body` with such masks in use: as tensors they can be inputs of a compiled step. */
export function withMasks<T>(model: tfl.LayersModel, masks: readonly Tensor[], body: () => T): T {
  const layers = stochastic(model);
  layers.forEach((layer, at) => layer.useMask(masks[at]));
  try {
    return body();
  } finally {
    for (const layer of layers) layer.useMask(undefined);
  }
}

function stochastic({ layers }: tfl.LayersModel): Stochastic[] {
  return layers.filter(
    (layer: object): layer is tfl.layers.Layer & Stochastic => 'drawMask' in layer && 'useMask' in layer,
  );
}
