import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { Network } from '../../core/models/network.ts';
import { expectClose } from '../../core/testing/close.ts';
import nlce from '../../plugins/defenses/nlce/index.ts';
import unet from '../../plugins/models/unet.ts';
import { build, defend, grey, masks, request, tiny } from '../core/models/support.ts';

interface Packed {
  readonly shape: number[];
  readonly data: string;
}
interface Case {
  readonly logits: Packed;
  readonly loss: number;
  readonly inputGradient: Packed;
  readonly gradients: Record<string, Packed>;
  readonly movingMeans?: Record<string, Packed>;
}
interface Group {
  readonly image?: Packed;
  readonly masks?: Packed;
  readonly weights: Record<string, Packed>;
  readonly cases: Record<string, Case>;
}
interface Fixture {
  readonly groups: Record<'unet' | 'unet+nlce' | 'nlce', Group>;
}

// How the numbers came to be: fixtures/parity/generate/networks.py and the provenance inside the file.
const path = new URL('../../fixtures/parity/networks.json', import.meta.url);
const { groups } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
const scaled = { scaled: true, subsample: 'always', combine: 'sum', codewords: 5 };

const subjects = {
  unet: { network: () => build(unet, request(48), { width: 1 / 32, dropout: 0 }), data: groups.unet },
  'unet+nlce': {
    network: () => build(unet, request(48), { width: 1 / 32, dropout: 0 }, [defend(nlce)]),
    data: groups.unet,
  },
  nlce: { network: () => build(tiny, request(12, 12, 6), {}, [defend(nlce, scaled)]), data: groups.nlce },
};

/** The reference is float64: what remains is the float32 error of one pass through the network. */
const LOGITS = { rtol: 1e-4, atol: 2e-5 };
const largest = (values: Tensor) => tf.max(tf.abs(values)).dataSync()[0]!;

const runs = Object.entries(groups).flatMap(([name, { cases }]) =>
  Object.keys(cases).map((mode) => [name, mode]),
);

describe.each(runs as [keyof typeof subjects, string][])('%s in %s agrees with PyTorch', (name, mode) => {
  const golden = groups[name].cases[mode]!;
  const { network: make, data } = subjects[name];
  const [image, truth] = [bytes(data.image!), bytes(data.masks!)];
  const training = mode === 'training';
  const network = () => withWeights(make(), { ...data.weights, ...groups[name].weights });
  const forward = ({ model }: Network, x: Tensor) => model.apply(x, { training }) as Tensor4D;
  const loss = (net: Network, x: Tensor) => net.loss([forward(net, x)], truth as Tensor3D);

  test('logits and loss', () => {
    const net = network();
    expectClose(forward(net, image), unpack(golden.logits), LOGITS);
    expectClose(loss(network(), image), golden.loss, { rtol: 1e-5 });
  });

  test('input gradient', () => {
    const net = network();
    const wanted = unpack(golden.inputGradient);
    expectClose(tf.grad((x) => loss(net, x))(image), wanted, { atol: 1e-4 * largest(wanted) });
  });

  test('parameter gradients', () => {
    const net = network();
    const names = new Map(
      net.model.trainableWeights.map((weight) => [weight.read().id, weight.originalName]),
    );
    const variables = net.model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { grads } = tf.variableGrads(() => loss(net, image), variables);
    const found = Object.fromEntries(variables.map((v) => [names.get(v.id), grads[v.name]!]));
    expect(Object.keys(golden.gradients).length).toBeGreaterThan(6);
    const steepest = Math.max(...Object.values(golden.gradients).map((packed) => largest(unpack(packed))));
    for (const [weight, packed] of Object.entries(golden.gradients)) {
      const wanted = unpack(packed);
      // A bias before a batch norm in training has no influence: its gradient is rounding error around 0.
      expectClose(found[weight]!, wanted, { atol: 2e-4 * largest(wanted) + 5e-6 * steepest });
    }
  });

  test('running means move as they do there in training, and not at all in inference', () => {
    const net = network();
    forward(net, image);
    const weights = Object.entries(groups[name].weights);
    const before = Object.fromEntries(weights.filter(([weight]) => weight.endsWith('moving_mean')));
    const found = new Map(net.model.weights.map((weight) => [weight.originalName, weight.read()]));
    for (const [weight, packed] of Object.entries(golden.movingMeans ?? before)) {
      expectClose(found.get(weight)!, unpack(packed), training ? { rtol: 1e-4, atol: 1e-5 } : {});
    }
  });
});

test('golden values are finite and not all the same', () => {
  const packed = Object.values(groups).flatMap(({ cases }) =>
    Object.values(cases).flatMap((c) => [c.logits, c.inputGradient, ...Object.values(c.gradients)]),
  );
  const gradientOfTheta = groups['unet+nlce'].cases['inference']!.gradients['bottleneck_nlce_theta/kernel']!;
  for (const values of packed.map((p) => unpack(p).dataSync()))
    expect(values.every(Number.isFinite)).toBe(true);
  expect(new Set(unpack(gradientOfTheta).dataSync()).size).toBeGreaterThan(400);
});

describe('finite differences', () => {
  const size = 16;
  const shape: [number, number, number, number] = [2, size, size, 1];
  // In float32 the loss carries rounding error, and ReLU and max-pooling have kinks: a small step and a tolerance
  // of a few per cent see a wrong or missing term; the comparison with PyTorch above sees a wrong digit.
  const [TOLERANCE, NOISE] = [0.05, 2e-5];

  test.each([
    ['U-Net', []],
    ['U-Net + NLCE', [defend(nlce, { normGamma: 1 })]],
  ])('of the loss of %s, for the image and for each weight', (_name, defenses) => {
    const net = build(unet, request(size), { width: 1 / 16, depth: 2 }, defenses);
    stir(net);
    const [image, truth] = [grey(shape, 5), masks([2, size, size])];
    const logits = (x: Tensor) => net.model.apply(x) as Tensor4D;
    const check = (gradient: Tensor, evaluate: (shift: Tensor) => number, h: number) => {
      // The direction leans on the gradient's sign: a random one would cancel down to rounding error.
      const v = tf.mul(tf.sign(gradient), tf.randomUniform(gradient.shape, 0.5, 1.5, 'float32', 8));
      const measured = (evaluate(tf.mul(v, h)) - evaluate(tf.mul(v, -h))) / (2 * h);
      const wanted = tf.sum(tf.mul(gradient, v)).dataSync()[0]!;
      expect(Math.abs(measured - wanted)).toBeLessThan(TOLERANCE * Math.abs(wanted) + NOISE);
    };
    const loss = (x: Tensor) => preciseLoss(logits(x), truth);
    check(tf.grad((x) => net.loss([logits(x)], truth))(image), (shift) => loss(tf.add(image, shift)), 0.01);
    const { grads } = tf.variableGrads(() => net.loss([logits(image)], truth));
    for (const weight of net.model.trainableWeights) {
      const variable = weight.read() as tf.Variable;
      const start = variable.clone();
      const evaluate = (shift: Tensor) => {
        variable.assign(tf.add(start, shift));
        const value = loss(image);
        variable.assign(start);
        return value;
      };
      check(grads[variable.name]!, evaluate, 1e-4);
    }
  });
});

/** Away from biases of exactly 0, where ReLU has its kink, and from attention that is the same everywhere. */
function stir({ model }: Network): void {
  model.trainableWeights.forEach((weight, index) => {
    const attention = /nlce_(theta|phi|g|w)\/kernel/.test(weight.originalName);
    const [mean, deviation] = /bias|beta/.test(weight.originalName) ? [0.1, 0.1] : [0, attention ? 0.4 : 0];
    const noise = tf.randomNormal(weight.shape as number[], mean, deviation, 'float32', index + 1);
    weight.write(tf.add(weight.read(), noise));
  });
}

/** Mean cross-entropy of two classes in float64. */
function preciseLoss(logits: Tensor4D, truth: Tensor3D): number {
  const [z, classes] = [logits.dataSync(), truth.dataSync()];
  const margin = (i: number) => z[2 * i + 1 - classes[i]!]! - z[2 * i + classes[i]!]!;
  const losses = Array.from(
    classes,
    (_, i) => Math.max(margin(i), 0) + Math.log1p(Math.exp(-Math.abs(margin(i)))),
  );
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

function bytes({ shape, data }: Packed): Tensor {
  return tf.tensor([...Buffer.from(data, 'base64')], shape, 'float32');
}

function unpack({ shape, data }: Packed): Tensor {
  const buffer = Buffer.from(data, 'base64');
  return tf.tensor(new Float32Array(new Uint8Array(buffer).buffer), shape);
}

function withWeights(network: Network, weights: Record<string, Packed>): Network {
  expect(Object.keys(weights).sort()).toEqual(network.model.weights.map((w) => w.originalName).sort());
  network.model.loadWeights(
    Object.fromEntries(Object.entries(weights).map(([name, packed]) => [name, unpack(packed)])),
  );
  return network;
}
