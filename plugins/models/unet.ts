import {
  defineNetwork,
  layers,
  RobustError,
  type ModelRequest,
  type NetworkInput,
  type TensorFlow,
} from '../../core/index.ts';

const { connect, dropout, scaledNormal, unitRange } = layers;

export default defineNetwork({
  name: 'unet',
  summary: 'U-Net with padded convolutions, so that the logits have the size of the image.',
  references: [
    'Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015',
  ],
  taps: ['bottleneck'],
  options: {
    width: {
      description: 'Channels of the first level; each level doubles them.',
      type: 'integer',
      minimum: 1,
      default: 64,
    },
    depth: {
      description: 'Number of poolings; image sides must be divisible by 2 to this power.',
      type: 'integer',
      minimum: 1,
      maximum: 6,
      default: 4,
    },
    dropout: {
      description: 'Dropout rate at the end of the contracting path; 0 leaves the layer out.',
      type: 'number',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.5,
    },
    output: {
      description: 'softmax: one logit per class; sigmoid: one logit for the foreground of two classes.',
      enum: ['softmax', 'sigmoid'],
      default: 'softmax',
    },
  },
  build(input, { width, depth, dropout: rate, output }, { tf }) {
    checkSize(input, 2 ** depth);
    const skips = [];
    let x = unitRange(input.image, input.domain);
    for (let level = 1; level <= depth; level++) {
      x = block(input, `enc${level}`, x, width * 2 ** (level - 1), tf);
      skips.push(x);
      x = connect(tf.layers.maxPooling2d({ name: `pool${level}`, poolSize: 2 }), x);
    }
    x = block(input, `enc${depth + 1}`, x, width * 2 ** depth, tf);
    // Without the layer at rate 0 an engine may compile training: a compiled step could not draw new masks.
    if (rate > 0) x = connect(dropout({ name: 'dropout', rate, seed: input.seed() }), x);
    x = input.tap('bottleneck', x);
    for (let level = depth; level >= 1; level--) {
      const filters = width * 2 ** (level - 1);
      const kernelInitializer = scaledNormal(2 * filters, input.seed(), 1);
      const up = { name: `up${level}`, filters, kernelSize: 2, strides: 2, kernelInitializer };
      x = connect(tf.layers.conv2dTranspose(up), x);
      x = connect(tf.layers.concatenate({ name: `concat${level}` }), [skips[level - 1]!, x]);
      x = block(input, `dec${level}`, x, filters, tf);
    }
    const filters = output === 'sigmoid' ? 1 : input.classes.length;
    const kernelInitializer = scaledNormal(width, input.seed(), 1);
    return connect(tf.layers.conv2d({ name: 'logits', filters, kernelSize: 1, kernelInitializer }), x);
  },
});

type Features = NetworkInput['image'];

/** Two 3x3 convolutions with ReLU. */
function block(
  input: NetworkInput,
  name: string,
  features: Features,
  filters: number,
  tf: TensorFlow,
): Features {
  return [1, 2].reduce((x, index) => {
    const kernelInitializer = scaledNormal(9 * x.shape[3]!, input.seed());
    const args = {
      name: `${name}_${index}`,
      filters,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
    } as const;
    return connect(tf.layers.conv2d({ ...args, kernelInitializer }), x);
  }, features);
}

function checkSize({ height, width }: ModelRequest, multiple: number): void {
  if (height % multiple === 0 && width % multiple === 0) return;
  const nearest = [height, width].map((side) => Math.max(1, Math.round(side / multiple)) * multiple);
  throw new RobustError('MODEL_SHAPE', {
    message: 'The image size does not survive the poolings of the U-Net.',
    where: 'unet',
    expected: `height and width divisible by ${multiple}`,
    received: `${height} x ${width}`,
    next: `resize the data set to ${nearest.join(' x ')}, or lower 'depth'`,
  });
}
