import { layers, RobustError, type NetworkInput, type TensorFlow } from '../../../core/index.ts';
import { Resize } from './resize.ts';

const { batchNorm, connect, dropout, gaussianDropout, scaledNormal, unitRange } = layers;

/** Feature maps `[N,H,W,C]` of a network under construction. */
export type Features = NetworkInput['image'];

export interface ConvolutionOptions {
  /** Side of the kernel; 3 when absent. */
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  /** `same` is TensorFlow's, off-centre for even sizes; `symmetric` is PyTorch's (kernel - 1) / 2 on all sides. */
  readonly padding?: 'same' | 'symmetric';
  readonly bias?: boolean;
  readonly activation?: 'relu' | 'elu';
  /** 1 where no rectifier follows. */
  readonly gain?: 1 | 2;
  readonly transposed?: boolean;
}

/** The parts that several networks are made of, for one network: names, widths, seeds and initialisers in one place. */
export class Builder {
  readonly #input: NetworkInput;
  readonly #tf: TensorFlow;
  readonly #width: number;

  /** @param width multiplier of the paper's channels */
  constructor(input: NetworkInput, tf: TensorFlow, width: number) {
    this.#input = input;
    this.#tf = tf;
    this.#width = width;
  }

  /** The image in [0, 1]. */
  image(): Features {
    return unitRange(this.#input.image, this.#input.domain);
  }

  /** Channels of a layer that has `paper` channels at width 1. */
  channels(paper: number): number {
    return Math.max(1, Math.round(paper * this.#width));
  }

  /** A convolution to `filters` channels, with a bias unless told otherwise. */
  conv(name: string, x: Features, filters: number, options: ConvolutionOptions = {}): Features {
    const { kernel = 3, stride = 1, dilation = 1, bias = true, activation, gain = 2 } = options;
    const spread = options.transposed ? stride : 1;
    const pad = options.padding === 'symmetric' && stride > 1 ? (dilation * (kernel - 1)) / 2 : 0;
    const args = {
      name,
      filters,
      kernelSize: kernel,
      strides: stride,
      dilationRate: dilation,
      padding: pad > 0 ? 'valid' : 'same',
      useBias: bias,
      kernelInitializer: scaledNormal((kernel / spread) ** 2 * x.shape[3]!, this.#input.seed(), gain),
      ...(activation && { activation }),
    } as const;
    const layer = options.transposed ? this.#tf.layers.conv2dTranspose(args) : this.#tf.layers.conv2d(args);
    return connect(layer, pad > 0 ? this.#surround(`${name}_pad`, x, pad) : x);
  }

  /** Convolution and batch normalisation; the convolution has no bias unless told otherwise. */
  convNorm(name: string, x: Features, filters: number, options: ConvolutionOptions = {}): Features {
    const { bias = false } = options;
    return connect(batchNorm(`${name}_norm`), this.conv(name, x, filters, { ...options, bias }));
  }

  /** {@link convNorm} and ReLU. */
  convNormRelu(name: string, x: Features, filters: number, options: ConvolutionOptions = {}): Features {
    return this.relu(name, this.convNorm(name, x, filters, options));
  }

  relu(name: string, x: Features): Features {
    return connect(this.#tf.layers.reLU({ name: `${name}_relu` }), x);
  }

  add(name: string, parts: Features[]): Features {
    return connect(this.#tf.layers.add({ name }), parts);
  }

  /** 2x2 max-pooling. */
  pool(name: string, x: Features, stride: 1 | 2 = 2): Features {
    return connect(this.#tf.layers.maxPooling2d({ name, poolSize: 2, strides: stride, padding: 'same' }), x);
  }

  /** 3x3 max-pooling of stride 2, padded by 1 as in PyTorch. Zeros serve as padding: what is pooled went through a ReLU. */
  overlappingPool(name: string, x: Features): Features {
    const pool = this.#tf.layers.maxPooling2d({ name, poolSize: 3, strides: 2 });
    return connect(pool, this.#surround(`${name}_pad`, x, 1));
  }

  /** Twice the height and width: pixels repeated, or bilinear with aligned corners. */
  double(name: string, x: Features, how: 'repeat' | 'bilinear' = 'repeat'): Features {
    if (how === 'repeat') return connect(this.#tf.layers.upSampling2d({ name, size: [2, 2] }), x);
    return this.resize(name, x, [2 * x.shape[1]!, 2 * x.shape[2]!]);
  }

  /** Bilinear resizing to `[height, width]`. */
  resize(name: string, x: Features, size: readonly [number, number], alignCorners = true): Features {
    return connect(new Resize({ name, size, alignCorners }), x);
  }

  concat(name: string, parts: Features[]): Features {
    return connect(this.#tf.layers.concatenate({ name }), parts);
  }

  /** Dropout in training; at rate 0 the layer is left out, because engines cannot compile a training that has one. */
  dropout(name: string, x: Features, rate: number, kind: 'bernoulli' | 'gaussian' = 'bernoulli'): Features {
    if (rate === 0) return x;
    const make = kind === 'gaussian' ? gaussianDropout : dropout;
    return connect(make({ name, rate, seed: this.#input.seed() }), x);
  }

  /** The last layer: one logit per class (`softmax`), or one for the foreground of two classes (`sigmoid`). */
  logits(x: Features, output: 'softmax' | 'sigmoid', kernel = 1): Features {
    const filters = output === 'sigmoid' ? 1 : this.#input.classes.length;
    return this.conv('logits', x, filters, { kernel, gain: 1 });
  }

  #surround(name: string, x: Features, pad: number): Features {
    return connect(
      this.#tf.layers.zeroPadding2d({
        name,
        padding: [
          [pad, pad],
          [pad, pad],
        ],
      }),
      x,
    );
  }
}

/** @throws RobustError MODEL_SHAPE unless both sides of the image are divisible by `multiple`. */
export function checkSize(network: string, { height, width }: NetworkInput, multiple: number): void {
  if (height % multiple === 0 && width % multiple === 0) return;
  const nearest = [height, width].map((side) => Math.max(1, Math.round(side / multiple)) * multiple);
  throw new RobustError('MODEL_SHAPE', {
    message: `The image size does not survive the down-sampling of '${network}'.`,
    where: network,
    expected: `height and width divisible by ${multiple}`,
    received: `${height} x ${width}`,
    next: `resize the data set to ${nearest.join(' x ')}`,
  });
}
