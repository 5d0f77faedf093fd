import { describe, expect, it } from 'vitest';
import type { AttackPlugin, Sample } from '../../../core/index.ts';
import {
  curvedSegmenter,
  linearSegmenter,
  makeContext,
  sigmoidThresholdWeights,
  thresholdWeights,
  tinyDataset,
} from '../../../core/testing/index.ts';
import { samplesOf } from '../../../core/testing/batches.ts';
import { attack } from './support.ts';
import cospgd from '../../../plugins/attacks/cospgd.ts';
import ifgsm from '../../../plugins/attacks/ifgsm.ts';
import mifgsm from '../../../plugins/attacks/mi-fgsm.ts';
import pgd from '../../../plugins/attacks/pgd.ts';
import randomNoise from '../../../plugins/attacks/random-noise.ts';
import segpgd from '../../../plugins/attacks/segpgd.ts';
import square from '../../../plugins/attacks/square.ts';
import { dice } from '../../../plugins/attacks/shared/worst.ts';

const { tf } = await makeContext();
const EPS = 8;
const samples = await samplesOf(tinyDataset({ test: 3 }).test);
const [sample] = samples as [Sample];

/** Where the loss of the truth is largest on a model that takes bright pixels for foreground. */
const corner = ({ image, mask }: Sample) =>
  [...image.data].map((value, i) => Math.min(255, Math.max(0, value + (mask.data[i] === 1 ? -EPS : EPS))));

describe('on a linear model', () => {
  const gradient: [AttackPlugin, Record<string, unknown>][] = [
    [ifgsm as never, {}],
    [mifgsm as never, {}],
    [pgd as never, { restarts: 2 }],
    [segpgd as never, {}],
    [cospgd as never, {}],
    [segpgd as never, { randomStart: false }],
  ];

  it.each(gradient)('$name ends in the corner of the ball, wherever it starts', async (plugin, options) => {
    for (const weights of [thresholdWeights(1), sigmoidThresholdWeights(1)]) {
      const segmenter = linearSegmenter(tf, weights);
      const { images } = await attack(plugin, options, { segmenter, samples: [sample], eps: [EPS] });
      expect([...images.get(EPS)!]).toEqual(corner(sample));
    }
  });

  it('segpgd leaves pixels alone in its first step that are wrong already', async () => {
    const segmenter = linearSegmenter(tf, thresholdWeights(1, 80));
    const options = { steps: 1, randomStart: false };
    const { images } = await attack(segpgd as never, options, { segmenter, samples: [sample], eps: [EPS] });
    const wanted = corner(sample).map((moved, i) => {
      const right = sample.image.data[i]! > 80 === (sample.mask.data[i] === 1);
      return right ? moved : sample.image.data[i]!;
    });
    expect(wanted).not.toEqual(corner(sample));
    expect([...images.get(EPS)!]).toEqual(wanted);
  });

  it('square finds the corner of a small image, by forward passes alone', async () => {
    const small: Sample = {
      id: 'small',
      image: { shape: [2, 2, 1], data: Float32Array.of(120, 140, 100, 131) },
      mask: { shape: [2, 2], data: Uint8Array.of(0, 1, 0, 1) },
    };
    const segmenter = linearSegmenter(tf, thresholdWeights(1));
    const trial = { segmenter, samples: [small], eps: [EPS] };
    const { images, gradients } = await attack(square as never, { queries: 200 }, trial);
    expect([...images.get(EPS)!]).toEqual(corner(small));
    expect(gradients).toBe(0);
  });
});

describe('on a curved model', () => {
  const segmenter = curvedSegmenter(tf, 1, 2, 3);
  const score = async (plugin: AttackPlugin, options: Record<string, unknown>) => {
    const { images } = await attack(plugin, options, { segmenter, samples, eps: [EPS] });
    const [height, width] = sample.mask.shape;
    return tf.tidy(() => {
      const x = tf.tensor4d(images.get(EPS)!, [samples.length, height, width, 1]);
      const truth = tf.tensor3d(
        samples.flatMap(({ mask }) => [...mask.data]),
        [samples.length, height, width],
        'int32',
      );
      const hot = tf.oneHot(tf.argMax(segmenter.logits(x), 3), 2);
      return [...dice(tf, hot as never, truth).dataSync()];
    });
  };

  it.each([
    [randomNoise as never as AttackPlugin, { draws: 1 }, { draws: 6 }],
    [pgd as never, { steps: 2, restarts: 1 }, { steps: 2, restarts: 4 }],
  ])('$name keeps the worst try of every image', async (plugin, one, several) => {
    const [first, worst] = [await score(plugin, one), await score(plugin, several)];
    worst.forEach((value, i) => expect(value).toBeLessThanOrEqual(first[i]!));
    expect(worst).not.toEqual(first);
  });

  it('squares that are kept beat noise', async () => {
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const noise = mean(await score(randomNoise as never, {}));
    const squares = mean(await score(square as never, { queries: 300 }));
    expect(squares).toBeLessThan(noise);
  });
});

it('random noise moves every value by eps, half of them up', async () => {
  const grey = { ...sample, image: { ...sample.image, data: sample.image.data.map(() => 128) } };
  const segmenter = linearSegmenter(tf, thresholdWeights(1));
  const { images } = await attack(randomNoise as never, {}, { segmenter, samples: [grey], eps: [EPS] });
  const values = [...images.get(EPS)!];
  const up = values.filter((value) => value === 128 + EPS).length / values.length;
  expect(values.every((value) => Math.abs(value - 128) === EPS)).toBe(true);
  expect(Math.abs(up - 0.5)).toBeLessThan(2 / Math.sqrt(values.length));
});

it('the Dice that ranks tries is that of counts, mean over foreground classes', () => {
  const masks = tf.oneHot(tf.tensor3d([0, 1, 1, 2], [1, 2, 2], 'int32'), 3);
  const truth = tf.tensor3d([0, 1, 2, 2], [1, 2, 2], 'int32');
  expect(dice(tf, masks as never, truth).dataSync()[0]).toBeCloseTo(2 / 3, 5);
  const ignoring = tf.tensor3d([0, 1, 2, 255], [1, 2, 2], 'int32');
  expect(dice(tf, masks as never, ignoring).dataSync()[0]).toBeCloseTo((2 / 3 + 0) / 2, 5);
  const empty = tf.oneHot(tf.zeros([1, 2, 2], 'int32'), 2);
  expect(dice(tf, empty as never, tf.zeros([1, 2, 2], 'int32')).dataSync()[0]).toBe(1);
});
