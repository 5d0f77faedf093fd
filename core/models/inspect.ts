import type * as tfl from '@tensorflow/tfjs-layers';
import type { ModelRequest, NetworkPlugin, OptionsOf, OptionsSchema } from '../plugin.ts';
import type { Context } from '../vocabulary.ts';
import { blank } from './blank.ts';
import type { LayerDescription, ModelDescription } from './description.ts';
import { buildNetwork, type Defense } from './network.ts';

/** A layer with matrix products of its own implements this to have them counted. */
export interface Multiplying {
  /** Multiply-accumulates for one image, from the shapes of its inputs (the batch comes first and is null). */
  multiplyAccumulates(inputs: readonly tfl.Shape[]): number;
}

/**
 * What a network with architecture defenses is made of. It is built with weights that are all zero, which takes no time
 * at any width, and never run.
 *
 * @throws RobustError as {@link buildNetwork} does.
 */
export function inspectNetwork(
  plugin: NetworkPlugin,
  options: OptionsOf<OptionsSchema>,
  defenses: readonly Defense[],
  request: ModelRequest,
  ctx: Context,
): ModelDescription {
  const taps: ModelDescription['taps'][number][] = [];
  const watched: NetworkPlugin = {
    ...plugin,
    build: (input, chosen, own) => {
      const tap: typeof input.tap = (name, features) => {
        taps.push({ name, shape: features.shape.slice(1) });
        return input.tap(name, features);
      };
      return plugin.build({ ...input, tap }, chosen, own);
    },
  };
  const { model, dispose } = buildNetwork(watched, options, defenses, request, blank(ctx));
  const outputs = model.outputs.map(({ name, dtype, shape }) => ({ name, type: dtype, shape }));
  const description = { layers: model.layers.map(describeLayer), taps, outputs };
  dispose();
  return description;
}

/** What a layer is and costs, as far as its shapes are known. */
export function describeLayer(layer: tfl.layers.Layer): LayerDescription {
  const inputs = shapesOf(layer.input);
  const output = shapesOf(layer.output)[0]!;
  return {
    name: layer.name,
    type: layer.getClassName(),
    output: output.slice(1),
    trainable: count(layer.trainableWeights),
    fixed: count(layer.nonTrainableWeights),
    multiplyAccumulates: isMultiplying(layer)
      ? layer.multiplyAccumulates(inputs)
      : ofKernels(layer, inputs[0]!, output),
  };
}

/** Every weight of a kernel is used once per pixel of the output; of a transposed convolution, of the input. */
function ofKernels(layer: tfl.layers.Layer, input: tfl.Shape, output: tfl.Shape): number | null {
  const places = layer.getClassName().endsWith('Transpose') ? input : output;
  const used = count(layer.weights.filter(({ originalName }) => /kernel$/.test(originalName)));
  return used > 0 && places.slice(1).includes(null) ? null : used * pixels(places);
}

/** Product of all sides but batch and channels. */
function pixels(shape: tfl.Shape): number {
  return shape.slice(1, -1).reduce<number>((product, side) => product * side!, 1);
}

function count(weights: readonly tfl.LayerVariable[]): number {
  return weights.reduce((sum, { shape }) => sum + shape.reduce<number>((n, side) => n * side!, 1), 0);
}

function shapesOf(tensors: tfl.SymbolicTensor | tfl.SymbolicTensor[]): tfl.Shape[] {
  return [tensors].flat().map(({ shape }) => shape);
}

function isMultiplying(layer: object): layer is Multiplying {
  return 'multiplyAccumulates' in layer && typeof layer.multiplyAccumulates === 'function';
}
