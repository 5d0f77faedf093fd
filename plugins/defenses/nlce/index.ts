import { defineDefense, layers, RobustError, type OptionsOf, type TapPoint } from '../../../core/index.ts';
import type { TensorFlow } from '../../../core/index.ts';
import { NonLocalAttention } from './attention.ts';
import { Encoding } from './encoding.ts';
import { options } from './options.ts';

const { batchNorm, connect, scaledNormal } = layers;

type Options = OptionsOf<typeof options>;
type Features = TapPoint['features'];

/** Sub-sampling keeps the affinity small where there are more positions than this (32 x 32). */
const MANY_POSITIONS = 1024;

export default defineDefense({
  name: 'nlce',
  summary:
    'Non-Local Context Encoder: a non-local block, then channels gated by a global encoding of the features.',
  references: [
    'He et al., Non-Local Context Encoder, AAAI 2019, equations 1 to 3',
    'Wang et al., Non-local Neural Networks, CVPR 2018',
    'Zhang et al., Context Encoding for Semantic Segmentation, CVPR 2018',
  ],
  options,
  transform(tap, options, { tf }) {
    if (!options.nonLocal && !options.contextEncoder) {
      throw new RobustError('CONFIG_INVALID', {
        message: 'With both of its parts switched off, nlce does nothing.',
        where: 'nlce',
        expected: "'nonLocal' or 'contextEncoder' (or both) true",
        received: 'both false',
        next: 'leave the defense out to have the network without it',
      });
    }
    if (options.taps !== null && !options.taps.includes(tap.name)) return tap.features;
    const related = options.nonLocal ? nonLocal(tap, options, tf) : tap.features;
    return options.contextEncoder ? contextEncoder(tap, related, options, tf) : related;
  },
});

/** Equations 1 and 2: z = x + BN(W_z y), y the average of all positions weighted by their affinity. */
function nonLocal(tap: TapPoint, options: Options, tf: TensorFlow): Features {
  const { features: x, name } = tap;
  const [, height, width, channels] = x.shape;
  const inner = Math.max(1, Math.floor(channels! / options.reduction));
  const project = (part: string, from: Features, filters: number) => {
    const kernelInitializer = tf.initializers.randomNormal({ mean: 0, stddev: 0.01, seed: tap.seed() });
    return connect(
      tf.layers.conv2d({ name: `${name}_nlce_${part}`, filters, kernelSize: 1, kernelInitializer }),
      from,
    );
  };
  const many = height! * width! > MANY_POSITIONS;
  const pooled = options.subsample === 'always' || (options.subsample === 'auto' && many);
  const reduce = (part: string, from: Features) =>
    pooled ? connect(tf.layers.maxPooling2d({ name: `${name}_nlce_${part}_pool`, poolSize: 2 }), from) : from;
  const theta = project('theta', x, inner);
  const phi = reduce('phi', project('phi', x, inner));
  const g = reduce('g', project('g', x, inner));
  const { scaled, affinityLimit: limit } = options;
  const y = connect(new NonLocalAttention({ name: `${name}_nlce_attention`, scaled, limit }), [
    theta,
    phi,
    g,
  ]);
  const w = project('w', y, channels!);
  const step =
    options.normGamma === null ? w : connect(batchNorm(`${name}_nlce_w_norm`, options.normGamma), w);
  return connect(tf.layers.add({ name: `${name}_nlce_residual` }), [x, step]);
}

/** Equation 3: each channel of the features times sigmoid(W_gamma e + b), e their combined encoding. */
function contextEncoder(tap: TapPoint, x: Features, options: Options, tf: TensorFlow): Features {
  const at = (part: string) => `${tap.name}_nlce_${part}`;
  const channels = x.shape[3]!;
  const filters = Math.min(channels, options.encodingWidth);
  const kernelInitializer = scaledNormal(channels, tap.seed());
  const project = tf.layers.conv2d({
    name: at('project'),
    filters,
    kernelSize: 1,
    useBias: false,
    kernelInitializer,
  });
  const projected = relu(at('project'), connect(project, x), tf);
  const encoding = new Encoding({ name: at('encoding'), codewords: options.codewords, seed: tap.seed() });
  const encoded = relu(at('encoding'), connect(encoding, projected), tf);
  const perCodeword = connect(tf.layers.permute({ name: at('per_codeword'), dims: [2, 1] }), encoded);
  const mean = connect(tf.layers.globalAveragePooling1d({ name: at('mean') }), perCodeword);
  const combined =
    options.combine === 'mean'
      ? mean
      : connect(tf.layers.rescaling({ name: at('sum'), scale: options.codewords }), mean);
  const gate = connect(dense(at('gate'), filters, channels, tap.seed(), options.gateBias, tf), combined);
  const spread = connect(tf.layers.reshape({ name: at('spread'), targetShape: [1, 1, channels] }), gate);
  return connect(tf.layers.multiply({ name: at('gated') }), [x, spread]);
}

function relu(name: string, x: Features, tf: TensorFlow): Features {
  return connect(tf.layers.reLU({ name: `${name}_relu` }), connect(batchNorm(`${name}_norm`), x));
}

function dense(
  name: string,
  fanIn: number,
  units: number,
  seed: number,
  bias: number | null,
  tf: TensorFlow,
) {
  const bound = 1 / Math.sqrt(fanIn);
  return tf.layers.dense({
    name,
    units,
    activation: 'sigmoid',
    useBias: bias !== null,
    kernelInitializer: tf.initializers.randomUniform({ minval: -bound, maxval: bound, seed }),
    biasInitializer: tf.initializers.constant({ value: bias ?? 0 }),
  });
}
