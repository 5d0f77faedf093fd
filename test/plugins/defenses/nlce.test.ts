import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { expectClose } from '../../../core/testing/close.ts';
import { affinity, attend } from '../../../plugins/defenses/nlce/attention.ts';
import { encode, softAssignment } from '../../../plugins/defenses/nlce/encoding.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, defend, grey, request, tiny } from '../../core/models/support.ts';

const normal = <R extends tf.Rank>(shape: tf.ShapeMap[R], seed: number) =>
  tf.randomNormal<R>(shape, 0, 1, 'float32', seed);

describe('parameter counts', () => {
  test.each([
    [1024, 16, 2_101_760, 1_067_104],
    [16, 32, 584, 1_168],
    [32, 64, 2_192, 3_264],
    [512, 16, 526_592, 542_304],
    [2048, 32, 8_397_824, 2_116_704],
    [64, 64, 8_480, 10_528],
    [128, 32, 33_344, 37_344],
    [256, 16, 132_224, 140_128],
  ])('%i channels at size %i', (channels, size, nonLocal, contextEncoder) => {
    const count = (overrides: object) => {
      const network = build(tiny, request(size, size, channels), {}, [defend(nlce, { ...overrides })]);
      network.dispose();
      return network.parameters - (2 * channels + 2);
    };
    expect(count({ contextEncoder: false })).toBe(nonLocal);
    expect(count({ nonLocal: false })).toBe(contextEncoder);
    expect(count({})).toBe(nonLocal + contextEncoder);
  });
});

describe('attention', () => {
  const [query, key, value] = [
    normal<tf.Rank.R3>([2, 7, 3], 1),
    normal<tf.Rank.R3>([2, 5, 3], 2),
    normal<tf.Rank.R3>([2, 5, 4], 3),
  ];
  const weight = normal<tf.Rank.R3>([2, 7, 4], 4);

  test('rows of the affinity sum to 1 over the keys', () => {
    expectClose(tf.sum(affinity(query, key, false), 2), tf.ones([2, 7]), { rtol: 1e-6 });
    expectClose(tf.sum(affinity(tf.mul(query, 1e3), key, true), 2), tf.ones([2, 7]), { rtol: 1e-6 });
  });

  test('scaling divides dot products by the square root of their length', () => {
    expectClose(affinity(query, key, true), affinity(tf.div(query, Math.sqrt(3)), key, false), {
      rtol: 1e-5,
    });
  });

  test.each([1, 10, 29, 70])('at most %i affinities at once: values and gradients do not change', (limit) => {
    const run = (scaled: boolean, limit: number) => (q: Tensor, k: Tensor, v: Tensor) =>
      tf.sum(tf.mul(weight, attend(q as Tensor3D, k as Tensor3D, v as Tensor3D, { scaled, limit })));
    const plain = (scaled: boolean) => (q: Tensor, k: Tensor, v: Tensor) => {
      const dots = tf.matMul(q as Tensor3D, k as Tensor3D, false, true);
      return tf.sum(
        tf.mul(weight, tf.matMul(tf.softmax(scaled ? tf.div(dots, Math.sqrt(3)) : dots), v as Tensor3D)),
      );
    };
    for (const scaled of [false, true]) {
      const mine = tf.grads(run(scaled, limit))([query, key, value]);
      const wanted = tf.grads(plain(scaled))([query, key, value]);
      expectClose(run(scaled, limit)(query, key, value), plain(scaled)(query, key, value), { rtol: 1e-5 });
      mine.forEach((gradient, i) => expectClose(gradient, wanted[i]!, { rtol: 1e-4, atol: 1e-6 }));
    }
  });

  test('the limit bounds the largest tensor, forward and backward', async () => {
    const [q, v] = [normal<tf.Rank.R3>([1, 64, 2], 1), normal<tf.Rank.R3>([1, 64, 2], 2)];
    const largest = async (limit: number) => {
      const run = (x: Tensor) => tf.sum(attend(x as Tensor3D, x as Tensor3D, v, { scaled: false, limit }));
      const { kernels } = await tf.profile(() => tf.grad(run)(q));
      return Math.max(
        ...kernels.flatMap((kernel) => kernel.outputShapes).map((shape) => tf.util.sizeFromShape(shape!)),
      );
    };
    expect(await largest(64 * 64)).toBe(64 * 64);
    expect(await largest(256)).toBe(256);
  });
});

describe('encoding', () => {
  const [features, codewords] = [normal<tf.Rank.R4>([2, 3, 4, 5], 1), normal<tf.Rank.R2>([6, 5], 2)];
  const scale = tf.tensor1d([-1, -0.8, -0.6, -0.4, -0.2, 0.1]);

  test('assignments of a position sum to 1', () => {
    const flat = tf.reshape(features, [24, 5]) as tf.Tensor2D;
    expectClose(tf.sum(softAssignment(flat, codewords, scale), 1), tf.ones([24]), { rtol: 1e-6 });
  });

  test('it is the sum of weighted residuals as the paper writes it', () => {
    const flat = tf.reshape(features, [2, 12, 1, 5]);
    const residuals = tf.sub(flat, tf.reshape(codewords, [1, 1, 6, 5]));
    const assigned = tf.softmax(tf.mul(scale, tf.sum(tf.square(residuals), 3)));
    const wanted = tf.transpose(tf.sum(tf.mul(tf.expandDims(assigned, 3), residuals), 1), [0, 2, 1]);
    expectClose(encode(features, codewords, scale), wanted, { rtol: 1e-4, atol: 1e-5 });
  });

  test('no tensor of positions x codewords x channels comes to be, forward or backward', async () => {
    const run = (x: Tensor) => tf.sum(encode(x as Tensor4D, codewords, scale));
    const { kernels } = await tf.profile(() => tf.grad(run)(features));
    const sizes = kernels
      .flatMap((kernel) => kernel.outputShapes)
      .map((shape) => tf.util.sizeFromShape(shape!));
    expect(Math.max(...sizes)).toBeLessThan(2 * 12 * 6 * 5);
  });
});

describe('the module', () => {
  const x = grey([2, 6, 6, 4]);
  const features = (overrides: object, seed = 1) =>
    build(tiny, request(6, 6, 4), {}, [defend(nlce, { ...overrides })], seed).model;
  const logits = (overrides: object, training = false) =>
    features(overrides).apply(x, { training }) as Tensor4D;

  test('the non-local part starts as the identity, in training and in inference', () => {
    const bare = build(tiny, request(6, 6, 4)).model.apply(x) as Tensor4D;
    for (const training of [false, true]) expectClose(logits({ contextEncoder: false }, training), bare);
    const differs = tf.max(tf.abs(tf.sub(logits({ contextEncoder: false, normGamma: 1 }, true), bare)));
    expect(differs.dataSync()[0]).toBeGreaterThan(1e-3);
  });

  test('the gate starts at sigmoid of its bias when the encoding says nothing', () => {
    const model = features({ nonLocal: false, gateBias: 2 });
    const gate = model.getLayer('bottleneck_nlce_gate');
    gate.setWeights([tf.zerosLike(gate.getWeights()[0]!), gate.getWeights()[1]!]);
    const wanted = tf.mul(build(tiny, request(6, 6, 4)).model.apply(x) as Tensor4D, 1 / (1 + Math.exp(-2)));
    expectClose(model.apply(x) as Tensor4D, wanted, { rtol: 1e-5, atol: 1e-6 });
  });

  test('the sum is the mean with K times the weights', () => {
    const [mean, sum] = [features({ combine: 'mean' }), features({ combine: 'sum', codewords: 32 })];
    const gate = mean.getLayer('bottleneck_nlce_gate');
    gate.setWeights([tf.mul(gate.getWeights()[0]!, 32), gate.getWeights()[1]!]);
    expectClose(mean.apply(x) as Tensor4D, sum.apply(x) as Tensor4D, { rtol: 1e-5, atol: 1e-6 });
  });

  test.each([
    ['auto', 32, false],
    ['auto', 34, true],
    ['always', 8, true],
    ['never', 64, false],
  ])('subsample %s at size %i', (subsample, size, pooled) => {
    const { model } = build(tiny, request(size, size, 2), {}, [defend(nlce, { subsample })]);
    const keys = model.layers.filter((layer) => /_(phi|g)_pool$/.test(layer.name));
    expect(keys.map((layer) => layer.outputShape)).toEqual(
      pooled ? Array(2).fill([null, size / 2, size / 2, 1]) : [],
    );
  });

  test('options remove the norm after W_z, the bias of the gate, and cap the width', () => {
    const names = features({ normGamma: null, gateBias: null, encodingWidth: 3, reduction: 4 }).weights.map(
      ({ originalName, shape }) => `${originalName} ${shape.join('x')}`,
    );
    expect(names.filter((name) => name.includes('w_norm'))).toEqual([]);
    expect(names).not.toContainEqual(expect.stringMatching(/gate\/bias/));
    expect(names).toContain('bottleneck_nlce_project/kernel 1x1x4x3');
    expect(names).toContain('bottleneck_nlce_theta/kernel 1x1x4x1');
  });

  test('it transforms the taps it is told to', () => {
    const attempt = (taps: string[]) => () =>
      build(unet, request(16), { width: 1 / 64 }, [defend(nlce, { taps })]);
    expect(attempt(['bottleneck'])().parameters).toBeGreaterThan(
      build(unet, request(16), { width: 1 / 64 }).parameters,
    );
    expect(attempt(['elsewhere'])).toThrow(expect.objectContaining({ code: 'TAP_UNUSED' }));
  });

  test('both parts switched off is refused', () => {
    const attempt = () => features({ nonLocal: false, contextEncoder: false });
    expect(attempt).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('weights are a function of the seed', () => {
    const values = (seed: number) =>
      features({}, seed)
        .getWeights()
        .map((w) => w.dataSync());
    expect(values(1)).toEqual(values(1));
    expect(values(1)).not.toEqual(values(2));
  });
});
