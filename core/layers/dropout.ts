import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor } from '@tensorflow/tfjs-core';

/** A layer that draws random numbers while training implements this to be reproducible. */
export interface Stochastic {
  setTrainingStep(step: number): void;
}

interface DropoutArgs {
  readonly name: string;
  /** Probability that a value is set to 0, in [0, 1). */
  readonly rate: number;
  readonly seed: number;
}

class SeededDropout extends tfl.layers.Layer implements Stochastic {
  static readonly className = 'Dropout';
  override readonly supportsMasking = true;
  readonly #args: DropoutArgs;
  #step = 0;

  constructor(args: DropoutArgs) {
    super({ name: args.name });
    this.#args = args;
  }

  setTrainingStep(step: number): void {
    this.#step = step;
  }

  override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    const { rate, seed } = this.#args;
    return kwargs.training === true ? tf.dropout(x, rate, undefined, `${seed}/${this.#step}`) : x;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.#args.rate, seed: this.#args.seed, noiseShape: null };
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
