import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { withMasks } from '../layers/index.ts';
import type { Step } from '../plugin.ts';
import { adam } from './adam.ts';

/** What can be trained: a layers model and the loss of its outputs. A `Network` is one. */
export interface Trainable {
  readonly model: tfl.LayersModel;
  loss(outputs: readonly Tensor4D[], masks: Tensor3D): Scalar;
}

/** The variables of a model: those that the optimizer moves, and the others (running statistics, frozen weights). */
export interface ModelVariables {
  readonly trained: readonly Variable[];
  readonly fixed: readonly Variable[];
}

export function modelVariables(model: tfl.LayersModel): ModelVariables {
  const variables = (weights: readonly tfl.LayerVariable[]) =>
    weights.map((weight) => weight.read() as Variable);
  return { trained: variables(model.trainableWeights), fixed: variables(model.nonTrainableWeights) };
}

/** The values of several variables, one after the other, as one vector. */
export function pack(values: readonly Tensor[]): Tensor1D {
  return tf.tidy(() => tf.concat1d(values.map((value) => tf.reshape(value, [value.size]) as Tensor1D)));
}

/** Sets variables from such a vector. */
export function unpackInto(variables: readonly Variable[], vector: Tensor1D): void {
  tf.tidy(() => {
    const parts = tf.split(
      vector,
      variables.map(({ size }) => size),
    );
    variables.forEach((variable, at) => variable.assign(tf.reshape(parts[at]!, variable.shape)));
  });
}

/**
 * One training step as a function of tensors alone, so that an engine can compile it:
 * `(images [N,H,W,C], masks [N,H,W], stepSize, rootCorrection, weights, first, second, fixed?, ...dropout)` to
 * `[loss, weights, first, second, fixed?]`, where `fixed` exists when the model has variables that are not trained, and
 * `dropout` are the masks of its stochastic layers.
 *
 * A layers model reads its weights from variables, so the step first points these at its inputs (an assignment shares
 * the data and runs no operator) and in the end reads the running statistics, which batch normalisation assigned,
 * back from them. The variables are scratch space: their content after a step is meaningless.
 * All weights travel as one vector: the optimizer then takes a dozen operators, not a dozen for each weight.
 */
export function trainingStep(network: Trainable, weightDecay: number): Step {
  const { model } = network;
  const { trained, fixed } = modelVariables(model);
  return (images, masks, stepSize, rootCorrection, weights, first, second, ...rest) =>
    tf.tidy(() => {
      const [statistics, dropout] = fixed.length > 0 ? [rest[0], rest.slice(1)] : [undefined, rest];
      unpackInto(trained, weights as Tensor1D);
      if (statistics) unpackInto(fixed, statistics as Tensor1D);
      const forward = () => network.loss(outputsOf(model, images as Tensor4D, true), masks as Tensor3D);
      const { value, grads } = withMasks(model, dropout, () => tf.variableGrads(forward, [...trained]));
      // A weight that the loss does not reach has no gradient.
      const gradient = pack(trained.map((variable) => grads[variable.name] ?? tf.zerosLike(variable)));
      const state = { weights, first, second } as { weights: Tensor1D; first: Tensor1D; second: Tensor1D };
      const scale = { stepSize: stepSize as Scalar, rootCorrection: rootCorrection as Scalar };
      const next = adam(state, gradient, scale, weightDecay);
      return [value, next.weights, next.first, next.second, ...(statistics ? [pack(fixed)] : [])];
    });
}

/** All outputs of a model as a list. */
export function outputsOf(model: tfl.LayersModel, images: Tensor4D, training: boolean): Tensor4D[] {
  const outputs = model.apply(images, { training }) as Tensor4D | Tensor4D[];
  return Array.isArray(outputs) ? outputs : [outputs];
}
