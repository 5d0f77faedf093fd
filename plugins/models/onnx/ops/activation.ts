import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { isFloat } from '../types.ts';
import { binary, elementwise, type Operators } from './support.ts';

const softplus = (x: Tensor) => tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
const hardSigmoid = (x: Tensor, alpha: number, beta: number) =>
  tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);
/** The part of x below 0. */
const below = (x: Tensor) => tf.minimum(x, 0);

const gelu = (x: Tensor, call: Call) => {
  if (call.text('approximate') === 'tanh') {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
  }
  return tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
};

/** The bounds are inputs since version 11. */
const clip: Handler = (call) => {
  const x = call.input(0);
  const bound = (index: number, name: string, otherwise: number) =>
    call.has(index) ? (call.numbers(index)[0] ?? otherwise) : call.float(name, otherwise);
  const limit = isFloat(x.type) ? 3.4028234663852886e38 : 2 ** 31 - 1;
  const [low, high] = [bound(1, 'min', -limit), bound(2, 'max', limit)];
  // As a minimum and a maximum where the bounds cross: then the upper one wins.
  if (low > high) return x.with(tf.fill(x.tensor.shape, high, x.tensor.dtype as 'float32'));
  return x.with(
    isFloat(x.type)
      ? tf.clipByValue(x.tensor, low, high)
      : tf.maximum(tf.minimum(x.tensor, tf.scalar(high, 'int32')), tf.scalar(low, 'int32')),
  );
};

/** Functions of each element that networks use between layers. */
export const activations: Operators = {
  Relu: elementwise((x) => tf.relu(x)),
  LeakyRelu: elementwise((x, call) => tf.leakyRelu(x, call.float('alpha', 0.01))),
  ThresholdedRelu: elementwise((x, call) =>
    tf.mul(x, tf.cast(tf.greater(x, call.float('alpha', 1)), 'float32')),
  ),
  PRelu: binary((x, slope) => tf.add(tf.relu(x), tf.mul(slope, below(x)))),
  Elu: elementwise((x, call) => tf.add(tf.relu(x), tf.mul(call.float('alpha', 1), tf.expm1(below(x))))),
  Selu: elementwise((x, call) => {
    const [alpha, gamma] = [call.float('alpha', 1.6732632423543772), call.float('gamma', 1.0507009873554805)];
    return tf.mul(gamma, tf.add(tf.relu(x), tf.mul(alpha, tf.expm1(below(x)))));
  }),
  Celu: elementwise((x, call) => {
    const alpha = call.float('alpha', 1);
    return tf.add(tf.relu(x), tf.mul(alpha, tf.expm1(tf.div(below(x), alpha))));
  }),
  Gelu: elementwise(gelu),
  Sigmoid: elementwise((x) => tf.sigmoid(x)),
  HardSigmoid: elementwise((x, call) => hardSigmoid(x, call.float('alpha', 0.2), call.float('beta', 0.5))),
  HardSwish: elementwise((x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Swish: elementwise((x, call) => tf.mul(x, tf.sigmoid(tf.mul(x, call.float('alpha', 1))))),
  Tanh: elementwise((x) => tf.tanh(x)),
  Softplus: elementwise(softplus),
  Softsign: elementwise((x) => tf.div(x, tf.add(1, tf.abs(x)))),
  Mish: elementwise((x) => tf.mul(x, tf.tanh(softplus(x)))),
  Clip: clip,
};
