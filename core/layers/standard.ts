import * as tfl from '@tensorflow/tfjs-layers';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { IntensityDomain } from '../vocabulary.ts';

type Initializer = ReturnType<typeof tfl.initializers.randomNormal>;

/** Applies a layer to symbolic tensors: `Layer.apply` typed for building networks. */
export function connect(layer: tfl.layers.Layer, inputs: SymbolicTensor | SymbolicTensor[]): SymbolicTensor {
  return layer.apply(inputs) as SymbolicTensor;
}

/** Maps images `[N,H,W,C]` in intensity units to [0, 1]: the first layer of a network. */
export function unitRange(image: SymbolicTensor, { low, high }: IntensityDomain): SymbolicTensor {
  const scale = 1 / (high - low);
  return connect(
    tfl.layers.rescaling({ name: 'unit_range', scale, offset: low === 0 ? 0 : -low * scale }),
    image,
  );
}

/**
 * Normal initialiser that keeps the mean square of the signal: standard deviation sqrt(gain / fanIn), with gain 2
 * before a ReLU and 1 before a linear output. tf.layers' own `heNormal` truncates without correcting the deviation.
 * Source: He et al., Delving Deep into Rectifiers, ICCV 2015, equation 10.
 */
export function scaledNormal(fanIn: number, seed: number, gain: 1 | 2 = 2): Initializer {
  return tfl.initializers.randomNormal({ mean: 0, stddev: Math.sqrt(gain / fanIn), seed });
}

/** Batch normalisation over the last axis with PyTorch's constants: eps 1e-5, running average 0.9 old + 0.1 new. */
export function batchNorm(name: string, gamma = 1): tfl.layers.Layer {
  const gammaInitializer = tfl.initializers.constant({ value: gamma });
  return tfl.layers.batchNormalization({ name, axis: -1, epsilon: 1e-5, momentum: 0.9, gammaInitializer });
}
