import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor } from '@tensorflow/tfjs-core';

/** A layer that draws random numbers while training implements this to be reproducible. */
export interface Stochastic {
  setTrainingStep(step: number): void;
}

interface DropoutArgs {
  readonly name: string;
  /** Probability that a value is set to 0, in [0, 1); for normal noise what gives the same variance. */
  readonly rate: number;
  readonly seed: number;
}

/** A layer that changes its input while training, by random numbers that are a function of (seed, training step). */
abstract class SeededNoise extends tfl.layers.Layer implements Stochastic {
  override readonly supportsMasking = true;
  protected readonly args: DropoutArgs;
  #step = 0;

  constructor(args: DropoutArgs) {
    super({ name: args.name });
    this.args = args;
  }

  protected abstract disturb(x: Tensor, step: number): Tensor;

  setTrainingStep(step: number): void {
    this.#step = step;
  }

  override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    return kwargs.training === true ? this.disturb(x, this.#step) : x;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.args.rate, seed: this.args.seed };
  }
}

class SeededDropout extends SeededNoise {
  static readonly className = 'Dropout';

  override disturb(x: Tensor, step: number): Tensor {
    const { rate, seed } = this.args;
    return tf.dropout(x, rate, undefined, `${seed}/${step}`);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), noiseShape: null };
  }
}

class SeededGaussianDropout extends SeededNoise {
  static readonly className = 'GaussianDropout';

  override disturb(x: Tensor, step: number): Tensor {
    const { rate, seed } = this.args;
    // The generator of TensorFlow.js takes one number: neighbouring steps must not give neighbouring seeds.
    const mixed = Math.imul(seed ^ Math.imul(step + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
    return tf.mul(x, tf.randomNormal(x.shape, 1, Math.sqrt(rate / (1 - rate)), 'float32', mixed || 1));
  }
}

/**
 * Dropout whose mask is a pure function of (seed, training step), see {@link setTrainingStep}; tf.layers' own repeats
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
 * Tells every stochastic layer of a model which training step comes next. A trainer calls it before each step with
 * a number that never repeats within a training run and that survives resuming (epoch * steps per epoch + step), so
 * that an interrupted training continues with the masks it would have had. Without it all steps share one mask.
 * Masks are drawn in JavaScript: a captured step would freeze them, so networks with dropout train uncaptured.
 */
export function setTrainingStep(model: tfl.LayersModel, step: number): void {
  for (const layer of model.layers) if (isStochastic(layer)) layer.setTrainingStep(step);
}

function isStochastic(layer: object): layer is Stochastic {
  return 'setTrainingStep' in layer && typeof layer.setTrainingStep === 'function';
}
