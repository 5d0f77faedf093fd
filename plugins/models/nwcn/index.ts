import { defineNetwork, layers, meanCrossEntropy } from '../../../core/index.ts';
import { Builder, checkSize, type Features } from '../blocks/builder.ts';
import { width } from '../blocks/options.ts';
import { basicBlock } from '../blocks/residual.ts';
import { StageLink } from './link.ts';

export default defineNetwork({
  name: 'nwcn',
  summary:
    'NWCN, a reconstruction: two dilated residual networks, the second of which also sees what the first says.',
  references: [
    'Hwang and Park, Accurate Lung Segmentation via Network-Wise Training of Convolutional Networks, DLMIA 2017 ' +
      '(its layer table was not available: the layout here has the 120,672 weights of its first stage)',
  ],
  taps: ['stage1', 'stage2'],
  options: {
    width,
    dilations: {
      description: 'Dilation of each residual block.',
      type: 'array',
      items: { type: 'integer', minimum: 1 },
      minItems: 1,
      default: [1, 2, 4, 8, 16],
    },
    link: {
      description: 'What the second stage sees of the first.',
      enum: ['probabilities', 'logits'],
      default: 'probabilities',
    },
    training: {
      description:
        'network-wise: each stage learns from its own loss alone; end-to-end: gradients pass between them.',
      enum: ['network-wise', 'end-to-end'],
      default: 'network-wise',
    },
  },
  build(input, options, { tf }) {
    checkSize('nwcn', input, 4);
    const net = new Builder(input, tf, options.width);
    const filters = net.channels(32);
    const stage = (name: string, image: Features) => {
      const rescale = (part: string, x: Features, transposed: boolean) =>
        net.convNormRelu(`${name}_${part}`, x, filters, { stride: 2, transposed });
      let x = rescale('down2', rescale('down1', image, false), false);
      options.dilations.forEach((dilation, i) => {
        x = basicBlock(net, `${name}_block${i + 1}`, x, filters, { dilation });
      });
      x = rescale('up2', rescale('up1', input.tap(name, x), true), true);
      const classes = input.classes.length;
      return net.conv(`${name}_logits`, x, classes, { bias: false, gain: 1 });
    };

    const image = net.image();
    const first = stage('stage1', image);
    const link = new StageLink({
      name: 'link',
      probabilities: options.link === 'probabilities',
      detached: options.training === 'network-wise',
    });
    const second = stage('stage2', net.concat('stage2_image', [image, layers.connect(link, first)]));
    return [second, first];
  },
  loss(outputs, masks, _options, { tf }) {
    return tf.addN(outputs.map((logits) => meanCrossEntropy(logits, masks)));
  },
});
