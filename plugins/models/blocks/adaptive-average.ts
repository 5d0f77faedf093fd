import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

/** Window of bin `i` of `bins` over `size` pixels, end excluded: windows overlap where the sizes do not divide. */
function adaptiveWindow(i: number, bins: number, size: number): [start: number, end: number] {
  return [Math.floor((i * size) / bins), Math.ceil(((i + 1) * size) / bins)];
}

/** The matrix `[bins,size]` of the averages over these windows. */
function averages(bins: number, size: number): number[][] {
  return Array.from({ length: bins }, (_, i) => {
    const [start, end] = adaptiveWindow(i, bins, size);
    return Array.from({ length: size }, (_, at) => (at >= start && at < end ? 1 / (end - start) : 0));
  });
}

interface AdaptiveAverageArgs {
  readonly name: string;
  readonly bins: number;
}

/** Averages `[N,H,W,C]` to `[N,bins,bins,C]` whatever H and W, as PyTorch's AdaptiveAvgPool2d does. */
export class AdaptiveAverage extends tfl.layers.Layer {
  static readonly className = 'AdaptiveAverage';
  readonly #bins: number;

  constructor({ name, bins }: AdaptiveAverageArgs) {
    super({ name });
    this.#bins = bins;
  }

  override computeOutputShape([batch, , , channels]: tfl.Shape): tfl.Shape {
    return [batch!, this.#bins, this.#bins, channels!];
  }

  multiplyAccumulates([input]: readonly tfl.Shape[]): number {
    const [, height, width, channels] = input!;
    return this.#bins * width! * channels! * (height! + this.#bins);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
    const [batch, height, width, channels] = x.shape;
    const bins = this.#bins;
    return tf.tidy(() => {
      const along = (y: Tensor, size: number, shape: [number, number, number]) =>
        tf.matMul(tf.tensor3d([averages(bins, size)]), tf.reshape(y, shape));
      const rows = along(x, height, [batch, height, width * channels]);
      const both = along(rows, width, [batch * bins, width, channels]);
      return tf.reshape(both, [batch, bins, bins, channels]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), bins: this.#bins };
  }
}
tf.serialization.registerClass(AdaptiveAverage);
