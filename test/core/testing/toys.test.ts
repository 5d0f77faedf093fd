import type { Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { crossEntropy } from '../../../core/index.ts';
import {
  constantWeights,
  curvedSegmenter,
  imageBatch,
  linearGradient,
  linearSegmenter,
  makeContext,
  maskBatch,
  samplesOf,
  sigmoidThresholdWeights,
  thresholdWeights,
  tinyDataset,
} from '../../../core/testing/index.ts';

const ctx = await makeContext();
const { tf } = ctx;
const data = tinyDataset({ channels: 3 });
const samples = await samplesOf(data.test);

describe('the linear segmenter', () => {
  it.each([
    ['two classes', thresholdWeights(3)],
    ['one sigmoid logit', sigmoidThresholdWeights(3)],
    [
      'arbitrary weights',
      {
        weights: [
          [0.01, 0.02],
          [0, -0.01],
          [0.005, 0.01],
        ],
        bias: [-1, 0.3],
      },
    ],
    ['constant logits', constantWeights(3, [0.2, 0.4])],
  ])('has the gradient of its closed form with %s', (_, weights) => {
    const segmenter = linearSegmenter(tf, weights);
    const [x, goal] = [imageBatch(tf, samples), maskBatch(tf, samples)];
    const gradient = tf.grad((input) => crossEntropy(segmenter.logits(input as Tensor4D), goal))(x);
    const wanted = Float32Array.from(linearGradient(weights, x.dataSync(), goal.dataSync()));
    expect(gradient.dataSync()).toBeAllClose(wanted, { rtol: 1e-4, atol: 1e-7 });
  });

  it('computes its closed form by hand for one pixel', () => {
    // z = (2, 0): softmax 0.880797, 0.119203; goal 1 leaves the residual (0.880797, -0.880797).
    const gradient = linearGradient({ weights: [[0.5, -0.25]], bias: [1, 0.5] }, [2], [1]);
    expect(gradient[0]).toBeCloseTo(0.8807970779778823 * 0.75, 12);
  });

  it('has the same probabilities as one sigmoid logit as with two', () => {
    const x = imageBatch(tf, samples);
    const two = tf.slice(tf.softmax(linearSegmenter(tf, thresholdWeights(3)).logits(x)), [0, 0, 0, 1]);
    const one = tf.sigmoid(linearSegmenter(tf, sigmoidThresholdWeights(3)).logits(x));
    expect(one).toBeAllClose(two, { atol: 1e-6 });
  });
});

describe('the curved segmenter', () => {
  it('lets a pixel see its neighbours, and no further than two', () => {
    const segmenter = curvedSegmenter(tf, 1);
    const at = (value: number) =>
      tf.buffer(
        [1, 9, 9, 1],
        'float32',
        Float32Array.from({ length: 81 }, (_, i) => (i === 40 ? value : 128)),
      );
    const change = tf.abs(
      tf.sub(
        segmenter.logits(at(200).toTensor() as Tensor4D),
        segmenter.logits(at(128).toTensor() as Tensor4D),
      ),
    );
    const changed = Array.from(tf.sum(change, 3).dataSync(), (value) => value > 0);
    expect(changed.filter(Boolean)).toHaveLength(25);
  });

  it('depends on its seed alone', () => {
    const x = imageBatch(tf, samples);
    expect(curvedSegmenter(tf, 3, 2, 1).logits(x)).toBeAllClose(curvedSegmenter(tf, 3, 2, 1).logits(x));
    expect(curvedSegmenter(tf, 3, 2, 1).logits(x)).not.toBeAllClose(curvedSegmenter(tf, 3, 2, 2).logits(x), {
      atol: 1e-3,
    });
  });
});

describe('the tiny data set', () => {
  it('is seeded', async () => {
    const [one] = await samplesOf(tinyDataset({ seed: 1 }).test);
    const [again] = await samplesOf(tinyDataset({ seed: 1 }).test);
    const [other] = await samplesOf(tinyDataset({ seed: 2 }).test);
    expect(again).toEqual(one);
    expect(other!.image.data).not.toEqual(one!.image.data);
  });

  it('is told apart by a threshold', () => {
    for (const { image, mask } of samples) {
      mask.data.forEach((label, pixel) => {
        const mean = (image.data[3 * pixel]! + image.data[3 * pixel + 1]! + image.data[3 * pixel + 2]!) / 3;
        expect(mean > 130).toBe(label === 1);
      });
    }
  });
});

describe('makeContext', () => {
  it('draws equal numbers for equal seeds', async () => {
    const draw = async (seed: number) => (await makeContext({ seed })).random('key').uniform();
    expect(await draw(1)).toBe(await draw(1));
    expect(await draw(1)).not.toBe(await draw(2));
  });

  it('gives every context a folder of its own', async () => {
    expect((await makeContext()).cacheDir).not.toBe(ctx.cacheDir);
  });
});
