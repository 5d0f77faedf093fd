import { defineNetwork, layers, meanCrossEntropy } from '../../core/index.ts';
import { AdaptiveAverage } from './blocks/adaptive-average.ts';
import { Builder } from './blocks/builder.ts';
import { endPointError } from './blocks/losses.ts';
import { alignCorners, rate, width } from './blocks/options.ts';
import { residualStage, type StageOptions } from './blocks/residual.ts';

/** The dilated ResNet-50: from the second stage on, strides become dilations. */
const STAGES: readonly StageOptions[] = [
  { kind: 'bottleneck', blocks: 3, filters: 64 },
  { kind: 'bottleneck', blocks: 4, filters: 128, stride: 2 },
  { kind: 'bottleneck', blocks: 6, filters: 256, dilations: [1, 2] },
  { kind: 'bottleneck', blocks: 3, filters: 512, dilations: [2, 4] },
];

export default defineNetwork({
  name: 'slsdeep',
  summary: 'SLSDeep: a dilated ResNet-50 and pyramid pooling, trained for sharp boundaries too.',
  references: [
    'Sarker et al., SLSDeep: Skin Lesion Segmentation Based on Dilated Residual and Pyramid Pooling Networks, MICCAI 2018',
  ],
  taps: ['bottleneck'],
  options: {
    width,
    endPointWeight: {
      description: 'Weight of the end-point error in the loss; 0 is what the released code trains with.',
      type: 'number',
      minimum: 0,
      default: 0.5,
    },
    decoderConvolutions: {
      description: '3x3 convolutions after the pyramid: 2 in the released code, 3 in the abstract.',
      enum: [2, 3],
      default: 2,
    },
    classNorm: {
      description: 'Batch norm, ReLU and dropout on the class scores, as released; it masks gradients.',
      type: 'boolean',
      default: false,
    },
    dropout: rate('Dropout rate on the class scores with classNorm', 0.5),
    alignCorners,
    tapAfter: {
      description: 'Where defenses enter: after the encoder, or after the pyramid.',
      enum: ['encoder', 'pyramid'],
      default: 'encoder',
    },
  },
  build(input, options, { tf }) {
    const net = new Builder(input, tf, options.width);
    const { height, width } = input;
    const tap = (place: string, x: typeof input.image) =>
      options.tapAfter === place ? input.tap('bottleneck', x) : x;
    const resize = (name: string, x: typeof input.image, size: readonly [number, number]) =>
      net.resize(name, x, size, options.alignCorners);

    let x = net.convNormRelu('conv1', net.image(), net.channels(64), { stride: 2, padding: 'symmetric' });
    x = net.convNormRelu('conv2', x, net.channels(64));
    x = net.overlappingPool('pool', net.convNormRelu('conv3', x, net.channels(128)));
    STAGES.forEach((stage, i) => (x = residualStage(net, `layer${i + 1}`, x, stage)));
    const encoded = tap('encoder', x);
    const [, rows, columns] = encoded.shape;
    const branches = [1, 2, 3, 6].map((bins) => {
      const pooled = layers.connect(new AdaptiveAverage({ name: `pyramid${bins}_pool`, bins }), encoded);
      const branch = net.convNormRelu(`pyramid${bins}`, pooled, net.channels(512), { kernel: 1 });
      return resize(`pyramid${bins}_resize`, branch, [rows!, columns!]);
    });
    x = tap('pyramid', net.concat('pyramid', [encoded, ...branches]));
    x = net.convNormRelu('last', x, net.channels(512));
    if (options.decoderConvolutions === 3) x = net.convNormRelu('last2', x, net.channels(512));
    x = resize('last_resize', x, [Math.ceil(height / 4), Math.ceil(width / 4)]);
    const classes = input.classes.length;
    x = options.classNorm
      ? net.dropout('dropout', net.convNormRelu('logits', x, classes), options.dropout)
      : net.logits(x, 'softmax', 3);
    return resize('logits_resize', x, [height, width]);
  },
  loss([logits], masks, { endPointWeight }, { tf }) {
    const likelihood = meanCrossEntropy(logits!, masks);
    if (endPointWeight === 0) return likelihood;
    return tf.add(likelihood, tf.mul(endPointError(tf, logits!, masks), endPointWeight));
  },
});
