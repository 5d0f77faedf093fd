import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

interface ResizeArgs {
  readonly name: string;
  readonly size: readonly [height: number, width: number];
  /** Whether corner pixels keep their values; otherwise pixel centres are half a pixel inside, as in PyTorch. */
  readonly alignCorners: boolean;
}

/** Bilinear resizing of `[N,H,W,C]`; tf.layers' own reports a wrong output shape. */
export class Resize extends tfl.layers.Layer {
  static readonly className = 'BilinearResize';
  readonly #args: ResizeArgs;

  constructor(args: ResizeArgs) {
    super({ name: args.name });
    this.#args = args;
  }

  override computeOutputShape([batch, , , channels]: tfl.Shape): tfl.Shape {
    return [batch!, ...this.#args.size, channels!];
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const { size, alignCorners } = this.#args;
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
    return tf.image.resizeBilinear(x, [...size], alignCorners, !alignCorners);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { size, alignCorners } = this.#args;
    return { ...super.getConfig(), size: [...size], alignCorners };
  }
}
tf.serialization.registerClass(Resize);
