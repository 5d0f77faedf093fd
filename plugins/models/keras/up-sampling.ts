import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

interface Args {
  readonly name?: string;
  readonly size: readonly [rows: number, columns: number];
}

/** Bilinear UpSampling2D as Keras does it, with pixel centres in line: that of tf.layers moves the image. */
class BilinearUpSampling2D extends tfl.layers.Layer {
  static readonly className = 'BilinearUpSampling2D';
  readonly #size: Args['size'];

  constructor(args: Args) {
    super(args.name === undefined ? {} : { name: args.name });
    this.#size = args.size;
  }

  override computeOutputShape([batch, height, width, channels]: tfl.Shape): tfl.Shape {
    const times = (side: number | null | undefined, factor: number) => (side ? side * factor : null);
    return [batch!, times(height, this.#size[0]), times(width, this.#size[1]), channels!];
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
    const [rows, columns] = this.#size;
    return tf.image.resizeBilinear(x, [x.shape[1] * rows, x.shape[2] * columns], false, true);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: [...this.#size] };
  }
}
tf.serialization.registerClass(BilinearUpSampling2D);
