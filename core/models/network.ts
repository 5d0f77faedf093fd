import * as tfl from '@tensorflow/tfjs-layers';
import type { Scalar, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { RobustError } from '../errors/index.ts';
import { meanCrossEntropy } from '../gradients/losses.ts';
import type { DefensePlugin, ModelRequest, NetworkPlugin, OptionsOf, OptionsSchema } from '../plugin.ts';
import type { Context } from '../vocabulary.ts';
import { seeds } from './seeds.ts';
import { Taps } from './taps.ts';

type Options = OptionsOf<OptionsSchema>;

/** A defense plugin with its resolved options. */
export interface Defense {
  readonly plugin: DefensePlugin;
  readonly options: Options;
}

/** A network with its architecture defenses, as the trainer and the sweep use it. */
export interface Network {
  readonly name: string;
  readonly request: ModelRequest;
  readonly ctx: Context;
  /** From images `[N,H,W,C]` in intensity units to logits; with several outputs the first is scored and attacked. */
  readonly model: tfl.LayersModel;
  /** Number of outputs of the model. */
  readonly outputs: number;
  /** Channels of the first output; 1 means one sigmoid logit. */
  readonly channels: number;
  /** Taps that the network offered, in forward order. */
  readonly taps: readonly string[];
  /** Trainable parameters. */
  readonly parameters: number;
  /**
   * Training loss of a batch from all outputs and masks `[N,H,W]` of class indices: the plugin's own, or the
   * cross-entropy of the first output, averaged over pixels and images.
   */
  loss(outputs: readonly Tensor4D[], masks: Tensor3D): Scalar;
  dispose(): void;
}

/**
 * Builds a network with the architecture defenses among `defenses` inserted at its taps, in the given order.
 * Initial weights are a function of the run seed alone, and a defense draws from streams of its own, so that a
 * network starts from the same weights with and without it.
 *
 * @throws RobustError TAP_INVALID when the plugin calls a tap that it does not declare, twice, or not at all;
 * TAP_UNUSED when an architecture defense transforms no tap; MODEL_SHAPE when a defense changes the shape of
 * features, or when the logits do not fit the images.
 */
export function buildNetwork(
  plugin: NetworkPlugin,
  options: Options,
  defenses: readonly Defense[],
  request: ModelRequest,
  ctx: Context,
): Network {
  const { height, width, channels } = request;
  const image = tfl.input({ name: 'image', shape: [height, width, channels] });
  const taps = new Taps(plugin, defenses, ctx);
  const seed = seeds(ctx.random('weights', plugin.name));
  const tap = (name: string, features: SymbolicTensor) => taps.transform(name, features);
  const built = plugin.build({ ...request, image, tap, seed }, options, ctx);
  const outputs = Array.isArray(built) ? (built as readonly SymbolicTensor[]) : [built as SymbolicTensor];
  taps.finish();
  for (const output of outputs) checkLogits(plugin.name, output, request);
  // A name that is free of '-' is valid as a tensor name, and a fixed one keeps fingerprints stable.
  const model = tfl.model({ name: plugin.name.replaceAll('-', '_'), inputs: image, outputs: [...outputs] });
  return {
    name: plugin.name,
    request,
    ctx,
    model,
    outputs: outputs.length,
    channels: outputs[0]!.shape[3]!,
    taps: plugin.taps,
    parameters: countParameters(model),
    loss: (values, masks) =>
      plugin.loss?.(values, masks, options, ctx) ?? meanCrossEntropy(values[0]!, masks),
    dispose: () => void model.dispose(),
  };
}

function countParameters(model: tfl.LayersModel): number {
  return model.trainableWeights.reduce(
    (sum, { shape }) => sum + shape.reduce<number>((n, d) => n * d!, 1),
    0,
  );
}

/** Logits must cover every pixel, with one channel per class or one sigmoid logit for two classes. */
function checkLogits(name: string, output: SymbolicTensor, { height, width, classes }: ModelRequest): void {
  const [, h, w, k] = output.shape;
  const channelsFit = k === classes.length || (k === 1 && classes.length === 2);
  if (output.shape.length === 4 && h === height && w === width && channelsFit) return;
  const binary = classes.length === 2 ? ' (or 1)' : '';
  throw new RobustError('MODEL_SHAPE', {
    message: `The network '${name}' returns logits that do not fit the data set.`,
    where: name,
    expected: `[N, ${height}, ${width}, ${classes.length}${binary}]`,
    received: `[${output.shape.map((d) => d ?? 'N').join(', ')}]`,
    next: `check the options of '${name}' against the size and the classes of the data set`,
  });
}
