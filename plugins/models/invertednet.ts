import { defineNetwork, meanCrossEntropy } from '../../core/index.ts';
import { Builder, checkSize, type Features } from './blocks/builder.ts';
import { diceLoss } from './blocks/losses.ts';
import { output, rate, width } from './blocks/options.ts';

/** Channels of the five levels, and by how much the convolutions and the poolings between them shrink. */
const VARIANTS = {
  inverted: { filters: [256, 128, 64, 32, 16], convolutions: [1, 1, 2, 2, 2], pooling: 1 },
  'all-dropout': { filters: [64, 128, 256, 512, 1024], convolutions: [1, 1, 1, 1, 1], pooling: 2 },
} as const;

export default defineNetwork({
  name: 'invertednet',
  summary: 'InvertedNet: many channels at high resolution, late down-sampling; trained with the Dice loss.',
  references: [
    'Novikov et al., Fully Convolutional Architectures for Multi-Class Segmentation in Chest Radiographs, IEEE TMI 2018',
  ],
  taps: ['bottleneck'],
  options: {
    width,
    variant: {
      description: "inverted, or the same paper's U-Net with dropout after every convolution.",
      enum: ['inverted', 'all-dropout'],
      default: 'inverted',
    },
    output: output('sigmoid'),
    loss: { description: 'What training minimises.', enum: ['dice', 'cross-entropy'], default: 'dice' },
    dropout: rate('Dropout rate', 0.1),
    dropoutKind: {
      description: 'Multiplication by normal noise of the same variance, or values set to 0.',
      enum: ['gaussian', 'bernoulli'],
      default: 'gaussian',
    },
    dropoutAfter: {
      description: 'Dropout after every convolution, or once per block of two.',
      enum: ['convolution', 'block'],
      default: 'convolution',
    },
  },
  build(input, options, { tf }) {
    const { filters, convolutions, pooling } = VARIANTS[options.variant];
    const shrinks = convolutions.map((stride, level) => (level === 0 ? 1 : stride * pooling));
    checkSize(
      'invertednet',
      input,
      shrinks.reduce((product, shrink) => product * shrink, 1),
    );
    const net = new Builder(input, tf, options.width);
    const block = (name: string, from: Features, channels: number, stride = 1) =>
      [1, 2].reduce((x, i) => {
        const args = { activation: 'elu', stride: i === 1 ? stride : 1 } as const;
        const y = net.conv(`${name}_${i}`, x, net.channels(channels), args);
        if (options.dropoutAfter === 'block' && i === 1) return y;
        return net.dropout(`${name}_${i}_dropout`, y, options.dropout, options.dropoutKind);
      }, from);

    const skips: Features[] = [];
    let x = net.image();
    filters.forEach((channels, level) => {
      if (level > 0) x = net.pool(`pool${level}`, x, pooling);
      x = block(`enc${level + 1}`, x, channels, convolutions[level]);
      skips.push(x);
    });
    x = input.tap('bottleneck', x);
    for (let level = filters.length - 1; level >= 1; level--) {
      if (shrinks[level]! > 1) x = net.double(`up${level}`, x);
      x = net.concat(`concat${level}`, [x, skips[level - 1]!]);
      x = block(`dec${level}`, x, filters[level - 1]!);
    }
    return net.logits(x, options.output);
  },
  loss([logits], masks, { loss }, { tf }) {
    return loss === 'dice' ? diceLoss(tf, logits!, masks) : meanCrossEntropy(logits!, masks);
  },
});
