import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import {
  defineDefense,
  defineNetwork,
  layers,
  type Context,
  type DefensePlugin,
  type ModelRequest,
  type OptionsSchema,
} from '../../../core/index.ts';
import { blank } from '../../../core/models/blank.ts';
import { buildNetwork, type Defense, type Network } from '../../../core/models/network.ts';
import { makeRandom } from '../../../core/random.ts';
import type { NetworkPlugin } from '../../../core/index.ts';

/** A context with one run seed; nothing is logged. */
export function context(seed = 1): Context {
  const quiet = () => undefined;
  return {
    tf: { ...tfl, ...tf },
    log: { info: quiet, warn: quiet, debug: quiet },
    signal: new AbortController().signal,
    cacheDir: '',
    baseDir: '',
    random: makeRandom(seed),
  };
}

/** Two classes on intensities 0..255, and no colour unless asked for. */
export function request(height: number, width = height, channels = 1): ModelRequest {
  const domain = { low: 0, high: 255, step: 1 };
  return { height, width, channels, classes: ['background', 'foreground'], domain };
}

type Overrides = Readonly<Record<string, unknown>>;

/** The default options of a plugin, with some of them replaced. */
export function optionsOf(
  { options }: { readonly options: OptionsSchema },
  overrides: Overrides = {},
): Overrides {
  const defaults = Object.entries(options).map(([name, option]) => [name, option.default]);
  return { ...(Object.fromEntries(defaults) as Overrides), ...overrides };
}

export function build(
  plugin: NetworkPlugin,
  wanted: ModelRequest,
  options: Overrides = {},
  defenses: readonly Defense[] = [],
  seed = 1,
): Network {
  return buildNetwork(plugin, optionsOf(plugin, options), defenses, wanted, context(seed));
}

/** {@link build} for what is never run: weights are zeros, which even the largest networks have at once. */
export function outline(
  plugin: NetworkPlugin,
  wanted: ModelRequest,
  options: Overrides = {},
  defenses: readonly Defense[] = [],
): Network {
  return buildNetwork(plugin, optionsOf(plugin, options), defenses, wanted, blank(context()));
}

export function defend(plugin: DefensePlugin, overrides: Overrides = {}): Defense {
  return { plugin, options: optionsOf(plugin, overrides) };
}

/** Tap, then a 1x1 convolution to one logit per class: the smallest network that a defense can enter. */
export const tiny = defineNetwork({
  name: 'tiny-net',
  summary: 'A 1x1 convolution.',
  options: {},
  taps: ['bottleneck'],
  build(input) {
    const kernelInitializer = layers.scaledNormal(input.channels, input.seed(), 1);
    const features = input.tap('bottleneck', layers.unitRange(input.image, input.domain));
    const logits = { name: 'logits', filters: input.classes.length, kernelSize: 1, kernelInitializer };
    return layers.connect(tfl.layers.conv2d(logits), features);
  },
});

/** A defense that doubles features. */
export const doubling = defineDefense({
  name: 'doubling',
  summary: 'Doubles features.',
  options: {},
  transform: ({ name, features }, _options, ctx) =>
    layers.connect(ctx.tf.layers.rescaling({ name: `${name}_doubled`, scale: 2 }), features),
});

/** Whole grey levels `[N,H,W,C]`. */
export function grey(shape: [number, number, number, number], seed = 1): Tensor4D {
  return tf.tidy(() => tf.floor(tf.randomUniform(shape, 0, 256, 'float32', seed)) as Tensor4D);
}

/** Random class indices `[N,H,W]`, 0 or 1. */
export function masks(shape: [number, number, number], seed = 2): Tensor3D {
  return tf.tidy(
    () => tf.cast(tf.greater(tf.randomUniform(shape, 0, 1, 'float32', seed), 0.5), 'int32') as Tensor3D,
  );
}
