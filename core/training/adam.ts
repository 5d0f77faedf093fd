import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** All trainable weights in one vector, with the running first and second moments of their gradients. */
export interface AdamState {
  readonly weights: Tensor1D;
  readonly first: Tensor1D;
  readonly second: Tensor1D;
}

/** What changes from step to step, as tensors, so that a step can be compiled once. */
export interface AdamScale {
  /** Learning rate over the bias correction of the first moment. */
  readonly stepSize: Scalar;
  /** Square root of the bias correction of the second moment. */
  readonly rootCorrection: Scalar;
}

/** The two scales of a step in double precision; `step` counts from 1 over the whole training. */
export function adamScales(learningRate: number, step: number): { stepSize: number; rootCorrection: number } {
  return { stepSize: learningRate / (1 - BETA1 ** step), rootCorrection: Math.sqrt(1 - BETA2 ** step) };
}

/**
 * One step of Adam (Kingma and Ba, 2015) with beta 0.9 and 0.999 and eps 1e-8. The L2 penalty is added to the
 * gradient as PyTorch's `Adam(weight_decay)` does; it is not the decoupled decay of AdamW.
 */
export function adam(
  { weights, first, second }: AdamState,
  gradient: Tensor1D,
  { stepSize, rootCorrection }: AdamScale,
  weightDecay: number,
): AdamState {
  const penalised = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(weights, weightDecay));
  const nextFirst = tf.add(tf.mul(first, BETA1), tf.mul(penalised, 1 - BETA1)) as Tensor1D;
  const nextSecond = tf.add(tf.mul(second, BETA2), tf.mul(tf.square(penalised), 1 - BETA2)) as Tensor1D;
  const scale = tf.add(tf.div(tf.sqrt(nextSecond), rootCorrection), EPSILON);
  const change = tf.mul(tf.div(nextFirst, scale), stepSize);
  return { weights: tf.sub(weights, change) as Tensor1D, first: nextFirst, second: nextSecond };
}
