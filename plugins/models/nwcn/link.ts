import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

interface StageLinkArgs {
  readonly name: string;
  /** Whether softmax probabilities are handed on, or the logits themselves. */
  readonly probabilities: boolean;
  /** Whether training stops the gradient here, so that each stage learns from its own loss alone. */
  readonly detached: boolean;
}

/**
 * What one stage tells the next: its foreground channels, from logits `[N,H,W,K]` to `[N,H,W,K-1]`. Outside training the
 * gradient always passes: an attack sees both stages.
 */
export class StageLink extends tfl.layers.Layer {
  static readonly className = 'StageLink';
  readonly #args: StageLinkArgs;

  constructor(args: StageLinkArgs) {
    super({ name: args.name });
    this.#args = args;
  }

  override computeOutputShape([batch, height, width, classes]: tfl.Shape): tfl.Shape {
    return [batch!, height!, width!, classes! - 1];
  }

  override call(inputs: Tensor | Tensor[], { training }: { training?: boolean }): Tensor {
    const logits = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
    const { probabilities, detached } = this.#args;
    return tf.tidy(() => {
      const told = detached && training === true ? stopGradient(logits) : logits;
      const scores = probabilities ? (tf.softmax(told) as Tensor4D) : told;
      return tf.slice4d(scores, [0, 0, 0, 1], [-1, -1, -1, -1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { probabilities, detached } = this.#args;
    return { ...super.getConfig(), probabilities, detached };
  }
}
tf.serialization.registerClass(StageLink);

function stopGradient(x: Tensor4D): Tensor4D {
  const identity = tf.customGrad((value) => ({
    value: (value as Tensor).clone(),
    gradFunc: (dy: Tensor) => tf.zerosLike(dy),
  }));
  return identity(x) as Tensor4D;
}
