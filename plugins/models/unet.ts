import { defineNetwork } from '../../core/index.ts';
import { Builder, checkSize, type Features } from './blocks/builder.ts';
import { output, rate, width } from './blocks/options.ts';

export default defineNetwork({
  name: 'unet',
  summary: 'U-Net with padded convolutions, so that the logits have the size of the image.',
  references: [
    'Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015',
  ],
  taps: ['bottleneck'],
  options: {
    width,
    depth: {
      description: 'Number of poolings; image sides must be divisible by 2 to this power.',
      type: 'integer',
      minimum: 1,
      maximum: 6,
      default: 4,
    },
    dropout: rate('Dropout rate at the end of the contracting path', 0.5),
    dropoutLevels: {
      description:
        'Levels of the contracting path that end in dropout, from the deepest; a released version has 2.',
      type: 'integer',
      minimum: 1,
      maximum: 7,
      default: 1,
    },
    norm: {
      description: 'Batch normalisation after every 3x3 convolution; the original has none.',
      type: 'boolean',
      default: false,
    },
    tapAfter: {
      description: 'Where defenses enter: before or after the dropout.',
      enum: ['dropout', 'convolution'],
      default: 'dropout',
    },
    output: output('softmax'),
  },
  build(input, options, { tf }) {
    const { depth } = options;
    checkSize('unet', input, 2 ** depth);
    const net = new Builder(input, tf, options.width);
    const convolve = (name: string, x: Features, filters: number) =>
      options.norm ? net.convNormRelu(name, x, filters) : net.conv(name, x, filters, { activation: 'relu' });
    const block = (name: string, x: Features, filters: number) =>
      convolve(`${name}_2`, convolve(`${name}_1`, x, filters), filters);
    const filtersOf = (level: number) => net.channels(64 * 2 ** (level - 1));
    const drop = (level: number, x: Features) =>
      level > depth + 1 - options.dropoutLevels ? net.dropout(`dropout${level}`, x, options.dropout) : x;

    const skips: Features[] = [];
    let x = net.image();
    for (let level = 1; level <= depth; level++) {
      x = drop(level, block(`enc${level}`, x, filtersOf(level)));
      skips.push(x);
      x = net.pool(`pool${level}`, x);
    }
    x = block(`enc${depth + 1}`, x, filtersOf(depth + 1));
    if (options.tapAfter === 'convolution') x = input.tap('bottleneck', x);
    x = drop(depth + 1, x);
    if (options.tapAfter === 'dropout') x = input.tap('bottleneck', x);
    for (let level = depth; level >= 1; level--) {
      const filters = filtersOf(level);
      x = net.conv(`up${level}`, x, filters, { kernel: 2, stride: 2, transposed: true, gain: 1 });
      x = block(`dec${level}`, net.concat(`concat${level}`, [skips[level - 1]!, x]), filters);
    }
    return net.logits(x, options.output);
  },
});
