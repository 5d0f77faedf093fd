import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { at, build, map, reduce, zip } from './array.ts';
import * as ref from './reference.ts';
import { X, type Row } from './row.ts';

const positive = (value: number) => 1.2 + value;
const flags = [false, true];
const products: Row[] = [
  ...flags.flatMap((ta) =>
    flags.map((tb): Row => ({
      name: `matMul${ta ? ' aT' : ''}${tb ? ' bT' : ''} batched`,
      inputs: [ta ? [3, 4, 5] : [3, 5, 4], tb ? [3, 2, 4] : [3, 4, 2]],
      run: (tf, [a, b]) => tf.matMul(a!, b!, ta, tb),
      reference: ([a, b]) => ref.matMul(a!, b!, ta, tb),
    })),
  ),
  {
    name: 'matMul of matrices',
    inputs: [
      [4, 5],
      [5, 3],
    ],
    run: (tf, [a, b]) => tf.matMul(a!, b!),
    reference: ([a, b]) => ref.matMul(a!, b!),
  },
  {
    name: 'matMul aT bT of matrices',
    inputs: [
      [5, 4],
      [3, 5],
    ],
    run: (tf, [a, b]) => tf.matMul(a!, b!, true, true),
    reference: ([a, b]) => ref.matMul(a!, b!, true, true),
  },
  ...(
    [
      [
        [1, 4, 3],
        [2, 3, 5],
      ],
      [
        [2, 4, 3],
        [1, 3, 5],
      ],
    ] as const
  ).map(([a, b]): Row => ({
    name: `matMul of ${a[0]} by ${b[0]} matrices`,
    inputs: [a, b],
    run: (tf, [x, y]) => tf.matMul(x!, y!),
    reference: ([x, y]) => ref.matMul(x!, y!),
    // TensorFlow.js does not sum the gradient over a broadcast batch.
    forwardOnly: true,
  })),
];

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
type Unary =
  | 'relu'
  | 'sigmoid'
  | 'tanh'
  | 'elu'
  | 'softplus'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'rsqrt'
  | 'square'
  | 'abs'
  | 'neg';
const unary: Record<Unary, (v: number) => number> = {
  relu: (v) => Math.max(0, v),
  sigmoid,
  tanh: Math.tanh,
  elu: (v) => (v > 0 ? v : Math.expm1(v)),
  softplus: (v) => Math.log1p(Math.exp(v)),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (v) => 1 / Math.sqrt(v),
  square: (v) => v * v,
  abs: Math.abs,
  neg: (v) => -v,
};
const binary: Record<
  'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum',
  (a: number, b: number) => number
> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

const elementwise: Row[] = [
  ...(Object.keys(unary) as Unary[]).map((name): Row => ({
    name,
    inputs: [X],
    domain: (v) => (['log', 'sqrt', 'rsqrt'].includes(name) ? positive(v) : 3 * v),
    run: (tf, [x]) => tf[name](x!),
    reference: ([x]) => map(x!, unary[name]),
  })),
  ...(Object.keys(binary) as (keyof typeof binary)[]).flatMap((name) =>
    [X, [3], [1, 5, 1, 3]].map((shape): Row => ({
      name: `${name} with [${shape.join()}]`,
      inputs: [X, shape],
      domain: (v, input) => (input === 1 && name === 'div' ? positive(v) : v + input * 0.013),
      run: (tf, [a, b]) => tf[name](a!, b!),
      reference: ([a, b]) => zip(a!, b!, binary[name]),
    })),
  ),
  {
    name: 'clipByValue',
    inputs: [X],
    run: (tf, [x]) => tf.clipByValue(x!, -0.401, 0.502),
    reference: ([x]) => map(x!, (v) => Math.min(0.502, Math.max(-0.401, v))),
  },
  {
    name: 'leakyRelu',
    inputs: [X],
    run: (tf, [x]) => tf.leakyRelu(x!, 0.1),
    reference: ([x]) => map(x!, (v) => (v > 0 ? v : 0.1 * v)),
  },
  { name: 'sign', inputs: [X], run: (tf, [x]) => tf.sign(x!), reference: ([x]) => map(x!, Math.sign) },
  {
    name: 'where',
    inputs: [X, X],
    domain: (v, input) => v + input * 0.013,
    run: (tf, [a, b]) => tf.where(tf.tensor1d([true, false, true], 'bool'), a!, tf.mul(b!, 2)),
    reference: ([a, b]) => build(X, (index) => (index[3] === 1 ? 2 * at(b!, index) : at(a!, index))),
  },
];

const reductions: Row[] = [[0, 1, 2], [1, 2], [3], [0], [0, 1, 2, 3]].flatMap((axes): Row[] => [
  {
    name: `sum over ${axes.join()}`,
    inputs: [X],
    run: (tf, [x]) => tf.sum(x!, axes),
    reference: ([x]) =>
      ref.squeeze(
        reduce(x!, axes, 0, (a, b) => a + b),
        axes,
      ),
  },
  {
    name: `mean over ${axes.join()} keeping them`,
    inputs: [X],
    run: (tf, [x]) => tf.mean(x!, axes, true),
    reference: ([x]) => ref.mean(x!, axes),
  },
  {
    name: `max over ${axes.join()}`,
    inputs: [X],
    run: (tf, [x]) => tf.max(x!, axes),
    reference: ([x]) => ref.squeeze(reduce(x!, axes, -Infinity, Math.max), axes),
  },
]);

const normalisations: Row[] = [
  {
    name: 'logSoftmax',
    inputs: [X],
    domain: (v) => 20 * v,
    run: (tf, [x]) => tf.logSoftmax(x!),
    reference: ([x]) => ref.logSoftmax(x!),
  },
  {
    name: 'softmax',
    inputs: [X],
    domain: (v) => 5 * v,
    run: (tf, [x]) => tf.softmax(x!),
    reference: ([x]) => map(ref.logSoftmax(x!), Math.exp),
  },
  {
    name: 'batchNorm of given moments',
    inputs: [X, [3], [3], [3], [3]],
    domain: (v, input) => (input === 2 ? positive(v) : v),
    run: (tf, [x, mean, variance, offset, scale]) =>
      tf.batchNorm(
        x as Tensor4D,
        mean as Tensor1D,
        variance as Tensor1D,
        offset as Tensor1D,
        scale as Tensor1D,
        1e-5,
      ),
    reference: ([x, mean, variance, offset, scale]) =>
      ref.batchNorm(x!, offset!, scale!, 1e-5, [mean!, variance!]),
  },
  {
    name: 'batchNorm of the batch',
    inputs: [X, [3], [3]],
    run: (tf, [x, offset, scale]) => {
      const { mean, variance } = tf.moments(x!, [0, 1, 2]);
      return tf.batchNorm(
        x as Tensor4D,
        mean as Tensor1D,
        variance as Tensor1D,
        offset as Tensor1D,
        scale as Tensor1D,
        1e-5,
      );
    },
    reference: ([x, offset, scale]) => ref.batchNorm(x!, offset!, scale!, 1e-5),
  },
];

export const algebraRows: readonly Row[] = [...products, ...elementwise, ...reductions, ...normalisations];
