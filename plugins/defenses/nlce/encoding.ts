import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

/**
 * Soft assignment `[M,K]` of features `[M,C]` to codewords `[K,C]`: softmax over k of scale_k |z - d_k|^2, with the
 * square expanded so that no residual is stored. Each row sums to 1. Scales are negative after initialisation.
 * Source: Zhang et al., Context Encoding for Semantic Segmentation, CVPR 2018, equation 2.
 */
export function softAssignment(features: Tensor2D, codewords: Tensor2D, scale: Tensor1D): Tensor2D {
  return tf.tidy(() => {
    const squares = tf.sum(tf.square(features), 1, true);
    const products = tf.matMul(features, codewords, false, true);
    const distances = tf.add(tf.sub(squares, tf.mul(products, 2)), tf.sum(tf.square(codewords), 1));
    return tf.softmax(tf.mul(distances, scale)) as Tensor2D;
  });
}

/**
 * Encodes features `[N,H,W,C]` as `[N,C,K]`: for each codeword the sum of the residuals assigned to it,
 * e_k = sum_i a_ik z_i - (sum_i a_ik) d_k. K comes last for the batch normalisation that follows.
 */
export function encode(features: Tensor4D, codewords: Tensor2D, scale: Tensor1D): Tensor3D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = features.shape;
    const positions = height * width;
    const flat = tf.reshape(features, [batch * positions, channels]);
    const assigned = tf.reshape(softAssignment(flat as Tensor2D, codewords, scale), [
      batch,
      positions,
      -1,
    ]) as Tensor3D;
    const sums = tf.matMul(tf.reshape(features, [batch, positions, channels]), assigned, true, false);
    const shares = tf.sum(assigned, 1, true);
    return tf.sub(sums, tf.mul(tf.transpose(codewords), shares)) as Tensor3D;
  });
}

export interface EncodingArgs {
  readonly name: string;
  /** Number of codewords K. */
  readonly codewords: number;
  readonly seed: number;
}

/** {@link encode} as a layer with trainable codewords and scales, initialised as in PyTorch-Encoding. */
export class Encoding extends tfl.layers.Layer {
  static readonly className = 'Encoding';
  readonly #args: EncodingArgs;
  #codewords!: tfl.LayerVariable;
  #scale!: tfl.LayerVariable;

  constructor(args: EncodingArgs) {
    super({ name: args.name });
    this.#args = args;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    const channels = (shape as tfl.Shape)[3]!;
    const { codewords: count, seed } = this.#args;
    const bound = 1 / Math.sqrt(count * channels);
    const uniform = tfl.initializers.randomUniform({ minval: -bound, maxval: bound, seed });
    const negative = tfl.initializers.randomUniform({ minval: -1, maxval: 0, seed: seed + 1 });
    this.#codewords = this.addWeight('codewords', [count, channels], 'float32', uniform);
    this.#scale = this.addWeight('scale', [count], 'float32', negative);
    super.build(shape);
  }

  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return [shape[0]!, shape[3]!, this.#args.codewords];
  }

  /** Features times codewords, and features times assignments. */
  multiplyAccumulates([features]: readonly tfl.Shape[]): number {
    const [, height, width, channels] = features!;
    return 2 * height! * width! * channels! * this.#args.codewords;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const features = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
    return encode(features, this.#codewords.read() as Tensor2D, this.#scale.read() as Tensor1D);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), codewords: this.#args.codewords, seed: this.#args.seed };
  }
}
tf.serialization.registerClass(Encoding);
