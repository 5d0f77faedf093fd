import { defineNetwork, meanCrossEntropy } from '../../core/index.ts';
import { Builder, checkSize, type Features } from './blocks/builder.ts';
import { jaccardLoss } from './blocks/losses.ts';
import { output, rate, width } from './blocks/options.ts';

/** Channels of the groups between poolings, and of those after up-samplings. */
const ENCODER = [
  [16, 32],
  [64, 64],
  [128, 128],
  [256, 256],
] as const;
const DECODER = [[256, 128], [128, 128], [64, 32], [16]] as const;
/** Layers with a 4x4 kernel, and those with dropout. */
const EVEN = ['conv3_2', 'decv3_1'];
const DROPPED = ['conv4_1', 'decv5_1'];

export default defineNetwork({
  name: 'cdnn',
  summary: 'Convolutional-deconvolutional network (CDNN), trained with the Jaccard distance.',
  references: [
    'Yuan, Automatic Skin Lesion Segmentation with Fully Convolutional-Deconvolutional Networks, arXiv 1703.05165',
  ],
  taps: ['bottleneck'],
  options: {
    width,
    output: output('sigmoid'),
    loss: { description: 'What training minimises.', enum: ['jaccard', 'cross-entropy'], default: 'jaccard' },
    dropout: rate('Dropout rate in encoder and decoder', 0.5),
    dropoutPlace: {
      description: 'Dropout before or after conv4_1 and decv5_1.',
      enum: ['before', 'after'],
      default: 'before',
    },
    bias: { description: 'Whether normalised convolutions have a bias.', type: 'boolean', default: true },
    denseUnits: {
      description: 'Units of two 1x1 convolutions after conv5 that a public version adds; 0 leaves them out.',
      type: 'integer',
      minimum: 0,
      default: 0,
    },
    upsampling: {
      description: 'How decoder features grow: pixels repeated, or bilinear.',
      enum: ['repeat', 'bilinear'],
      default: 'repeat',
    },
    tapAfter: {
      description:
        'Where defenses enter; both places lie between the last pooling and the first up-sampling.',
      enum: ['conv5', 'decv1'],
      default: 'conv5',
    },
  },
  build(input, options, { tf }) {
    checkSize('cdnn', input, 16);
    const net = new Builder(input, tf, options.width);
    const layer = (name: string, from: Features, filters: number) => {
      const drop = (place: string, x: Features) =>
        options.dropoutPlace === place && DROPPED.includes(name)
          ? net.dropout(`${name}_dropout`, x, options.dropout)
          : x;
      const kernel = EVEN.includes(name) ? 4 : 3;
      const args = { kernel, bias: options.bias, transposed: name.startsWith('decv') };
      return drop('after', net.convNormRelu(name, drop('before', from), net.channels(filters), args));
    };
    const group = (name: string, x: Features, filters: readonly number[]) =>
      filters.reduce((y, count, i) => layer(`${name}_${i + 1}`, y, count), x);
    const dense = (name: string, x: Features) =>
      options.denseUnits > 0 ? net.convNormRelu(name, x, options.denseUnits, { kernel: 1 }) : x;
    const tap = (place: string, x: Features) => (options.tapAfter === place ? input.tap('bottleneck', x) : x);

    let x = net.image();
    ENCODER.forEach((filters, i) => {
      x = net.pool(`pool${i + 1}`, group(`conv${i + 1}`, x, filters));
    });
    x = tap('conv5', dense('dense2', dense('dense1', layer('conv5', x, 512))));
    x = tap('decv1', layer('decv1', x, 256));
    DECODER.forEach((filters, i) => {
      x = group(`decv${i + 2}`, net.double(`ups${i + 1}`, x, options.upsampling), filters);
    });
    return net.logits(x, options.output, 3);
  },
  loss([logits], masks, { loss }, { tf }) {
    return loss === 'jaccard' ? jaccardLoss(tf, logits!, masks) : meanCrossEntropy(logits!, masks);
  },
});
