import * as tfl from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { defineDefense, defineNetwork, layers } from '../../../core/index.ts';
import { expectClose } from '../../../core/testing/close.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, defend, doubling, grey, masks, request, tiny } from './support.ts';

const { connect } = layers;
const { conv2d } = tfl.layers;

/** A network whose taps and calls are given. */
const tapping = (taps: string[], calls: string[]) =>
  defineNetwork({
    name: 'tapping',
    summary: 'Calls taps.',
    options: {},
    taps,
    build: ({ image, tap, classes }) =>
      connect(
        conv2d({ name: 'logits', filters: classes.length, kernelSize: 1 }),
        calls.reduce((x, name) => tap(name, x), image),
      ),
  });

describe('taps', () => {
  test('a tap that is not declared, called twice or never called is refused by name', () => {
    const attempt = (taps: string[], calls: string[]) => () => build(tapping(taps, calls), request(4));
    expect(attempt(['a'], ['a', 'b'])).toThrow(expect.objectContaining({ code: 'TAP_INVALID' }));
    expect(attempt(['a'], ['a', 'b'])).toThrow(/'b', which it does not declare/);
    expect(attempt(['a'], ['a', 'a'])).toThrow(/'a' twice/);
    expect(attempt(['a', 'b'], ['a'])).toThrow(/never calls: b/);
  });

  test('defenses transform features in the order they are given', async () => {
    const shift = defineDefense({
      name: 'shift',
      summary: 'Adds 1.',
      options: {},
      transform: ({ name, features }, _options, { tf }) =>
        connect(tf.layers.rescaling({ name: `${name}_shifted`, scale: 1, offset: 1 }), features),
    });
    const first = build(tapping(['a'], ['a']), request(1), {}, [defend(doubling), defend(shift)]);
    const second = build(tapping(['a'], ['a']), request(1), {}, [defend(shift), defend(doubling)]);
    for (const { model } of [first, second]) {
      model.getLayer('logits').setWeights([tf.ones([1, 1, 1, 2]), tf.zeros([2])]);
    }
    const x = tf.fill([1, 1, 1, 1], 3);
    expectClose(first.model.apply(x) as Tensor4D, tf.fill([1, 1, 1, 2], 7));
    expectClose(second.model.apply(x) as Tensor4D, tf.fill([1, 1, 1, 2], 8));
  });

  test('an architecture defense that transforms nothing is refused and told which taps there are', () => {
    const idle = defineDefense({
      name: 'idle',
      summary: 'Idle.',
      options: {},
      transform: (tap) => tap.features,
    });
    const attempt = () => build(tapping(['a', 'b'], ['a', 'b']), request(4), {}, [defend(idle)]);
    expect(attempt).toThrow(expect.objectContaining({ code: 'TAP_UNUSED' }));
    expect(attempt).toThrow(/choose among its taps: a, b/);
    expect(() => build(tapping([], []), request(4), {}, [defend(doubling)])).toThrow(/has no taps/);
  });

  test('a defense that changes the shape of features is refused with both shapes', () => {
    const pool = defineDefense({
      name: 'pool',
      summary: 'Pools.',
      options: {},
      transform: ({ features }, _options, { tf }) =>
        connect(tf.layers.maxPooling2d({ name: 'p', poolSize: 2 }), features),
    });
    const attempt = () => build(tapping(['a'], ['a']), request(4), {}, [defend(pool)]);
    expect(attempt).toThrow(expect.objectContaining({ code: 'MODEL_SHAPE' }));
    expect(attempt).toThrow(/\[N, 4, 4, 1\][^]*\[N, 2, 2, 1\]/);
  });
});

test('logits of another size or channel count than the data set are refused', () => {
  const wrong = (filters: number, strides: number) =>
    defineNetwork({
      name: 'wrong',
      summary: 'Wrong logits.',
      options: {},
      taps: [],
      build: ({ image }) => connect(conv2d({ name: 'logits', filters, strides, kernelSize: 1 }), image),
    });
  expect(() => build(wrong(3, 1), request(4))).toThrow(expect.objectContaining({ code: 'MODEL_SHAPE' }));
  expect(() => build(wrong(2, 2), request(4))).toThrow(
    /expected: \[N, 4, 4, 2 \(or 1\)\][^]*received: \[N, 2, 2, 2\]/,
  );
  expect(build(wrong(1, 1), request(4)).channels).toBe(1);
});

test('a network starts from the same weights with and without a defense, and from others under another seed', () => {
  const kernel = (network: ReturnType<typeof build>) =>
    network.model.getLayer('dec1_2').getWeights()[0]!.dataSync();
  const plain = kernel(build(unet, request(32), { width: 1 / 32 }));
  expect(kernel(build(unet, request(32), { width: 1 / 32 }, [defend(nlce)]))).toEqual(plain);
  expect(kernel(build(unet, request(32), { width: 1 / 32 }, [], 2))).not.toEqual(plain);
});

test('the default loss is the mean cross-entropy of the first output; a plugin may bring its own', () => {
  const logits = tf.tensor4d([2, 0, 0, 1], [1, 1, 2, 2]);
  const truth = tf.tensor3d([0, 1], [1, 1, 2], 'int32');
  const wanted = (Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(-1))) / 2;
  expectClose(build(tiny, request(1, 2)).loss([logits], truth), wanted, { rtol: 1e-6 });
  const own = defineNetwork({ ...tiny, loss: ([first], _masks, _options, { tf }) => tf.sum(first!) });
  expectClose(build(own, request(1, 2)).loss([logits], truth), 3);
});

test('several outputs are kept in order, and all of them reach the loss', () => {
  const twin = defineNetwork({
    name: 'twin',
    summary: 'Two outputs.',
    options: {},
    taps: [],
    build: ({ image }) => {
      const head = (name: string) => connect(conv2d({ name, filters: 2, kernelSize: 1 }), image);
      return [head('refined'), head('coarse')];
    },
    loss: (outputs, _masks, _options, { tf }) => tf.scalar(outputs.length),
  });
  const network = build(twin, request(2));
  const outputs = network.model.apply(grey([1, 2, 2, 1])) as Tensor4D[];
  expect([network.outputs, network.model.outputNames]).toEqual([2, ['refined', 'coarse']]);
  expectClose(network.loss(outputs, masks([1, 2, 2])), 2);
});

test('disposing a network frees every tensor that building it made', () => {
  const before = tf.memory().numTensors;
  const network = build(unet, request(32), { width: 1 / 32 }, [defend(nlce)]);
  expect(tf.memory().numTensors).toBeGreaterThan(before);
  network.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
