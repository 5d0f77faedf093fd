import { defineNetwork, meanCrossEntropy, type OptionsOf } from '../../../core/index.ts';
import { Builder, type Features } from '../blocks/builder.ts';
import { bottleneck, residualStage, type StageOptions } from '../blocks/residual.ts';
import { options } from './options.ts';

type Options = OptionsOf<typeof options>;

/** Stages conv2 to conv5 of the backbones. */
const BACKBONES = {
  resnet18: { kind: 'basic', blocks: [2, 2, 2, 2] },
  resnet50: { kind: 'bottleneck', blocks: [3, 4, 6, 3] },
} as const;
const LEVELS = [2, 3, 4, 5] as const;

export default defineNetwork({
  name: 'nlcen',
  summary:
    'Non-Local Context Encoding Network: a feature pyramid with four coarse outputs and a refined one.',
  references: [
    'He et al., Non-Local Context Encoder, AAAI 2019, equations 4 and 5; its modules are the defense nlce at the taps',
    'Chen et al., Cascaded Pyramid Network, CVPR 2018 (the numbers that the paper does not give)',
  ],
  taps: LEVELS.map((level) => `conv${level}`),
  options,
  build(input, options, { tf }) {
    const net = new Builder(input, tf, options.width);
    const size = [input.height, input.width] as const;
    const predict = (name: string, x: Features) => {
      const coarse = net.conv(name, x, input.classes.length, { gain: 1 });
      return net.resize(`${name}_resize`, coarse, size, options.alignCorners);
    };

    const encoded = backbone(net, options, input.tap);
    const pyramid = topDown(net, encoded, options);
    const heads = pyramid.map((x, i) => {
      const long = options.head === 'cpn';
      const before = long ? net.convNormRelu(`before${LEVELS[i]}`, x, x.shape[3]!, { kernel: 1 }) : x;
      return predict(`head${LEVELS[i]}`, before);
    });
    const refined = predict('refined', refine(net, pyramid, options));
    return [refined, ...heads];
  },
  /** Equation 5; every term is an average over pixels. */
  loss([refined, ...heads], masks, { refinedWeight }, { tf }) {
    const coarse = tf.addN(heads.map((logits) => meanCrossEntropy(logits, masks)));
    const fine = meanCrossEntropy(refined!, masks);
    return tf.add(tf.mul(coarse, 1 / heads.length), tf.mul(fine, refinedWeight));
  },
});

/** ResNet with the features that its taps give, E_2 to E_5. */
function backbone(
  net: Builder,
  { backbone: name, placement }: Options,
  tap: (name: string, x: Features) => Features,
): Features[] {
  const { kind, blocks } = BACKBONES[name];
  const stem = net.convNormRelu('conv1', net.image(), net.channels(64), {
    kernel: 7,
    stride: 2,
    padding: 'symmetric',
  });
  let x = net.overlappingPool('pool', stem);
  return LEVELS.map((level, i) => {
    const filters = 64 * 2 ** i;
    const stage: StageOptions = { kind, blocks: blocks[i]!, filters, stride: i === 0 ? 1 : 2 };
    const features = residualStage(net, `conv${level}`, x, stage);
    const tapped = tap(`conv${level}`, features);
    x = placement === 'inline' ? tapped : features;
    return tapped;
  });
}

/** P_5 is the lateral features of E_5; P_i those of E_i plus P_(i+1), through a 1x1 convolution and resized. */
function topDown(
  net: Builder,
  encoded: Features[],
  { lateral, mergeNorm, alignCorners }: Options,
): Features[] {
  const sides = encoded.map((x, i) =>
    lateral || i === 3
      ? net.convNormRelu(`lateral${LEVELS[i]}`, x, lateral ? net.channels(256) : x.shape[3]!, { kernel: 1 })
      : x,
  );
  return sides.reduceRight<Features[]>((above, side, i) => {
    if (above.length === 0) return [side];
    const [, height, width, filters] = side.shape;
    const convolve = mergeNorm ? net.convNorm.bind(net) : net.conv.bind(net);
    // Before resizing: a 1x1 convolution commutes with it and is cheaper on few pixels.
    const merged = convolve(`merge${LEVELS[i]}`, above[0]!, filters!, { kernel: 1, gain: 1 });
    const resized = net.resize(`merge${LEVELS[i]}_resize`, merged, [height!, width!], alignCorners);
    return [net.add(`pyramid${LEVELS[i]}`, [side, resized]), ...above];
  }, []);
}

/** 0 to 3 bottlenecks on P_2 to P_5, resized to P_2 and concatenated. */
function refine(net: Builder, pyramid: Features[], { head, projected, alignCorners }: Options): Features {
  const [, height, width] = pyramid[0]!.shape;
  const levels = pyramid.map((x, i) => {
    const filters = x.shape[3]!;
    const refined = Array.from({ length: i }).reduce<Features>(
      (y, _, n) =>
        bottleneck(net, `refine${LEVELS[i]}_${n + 1}`, y, Math.ceil(filters / 2), filters, { projected }),
      x,
    );
    return i === 0
      ? refined
      : net.resize(`refine${LEVELS[i]}_resize`, refined, [height!, width!], alignCorners);
  });
  const fused = net.concat('fused', levels);
  return head === 'cpn' ? bottleneck(net, 'fuse', fused, net.channels(128), net.channels(256)) : fused;
}
