import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Learner } from '../../../core/training/learner.ts';
import { modelVariables, pack, trainingStep } from '../../../core/training/step.ts';
import { SIZE, sample, tinyNetwork, weightsOf } from './helpers.ts';

beforeAll(() => tf.setBackend('cpu'));

const batch = {
  images: Float32Array.from([0, 1].flatMap((i) => [...sample(i).image.data])),
  masks: Int32Array.from([0, 1].flatMap((i) => [...sample(i).mask.data])),
};
const shape = [2, SIZE, SIZE, 1] as const;

describe('training step', () => {
  it('is a function of its inputs alone, whatever the model holds', () => {
    const network = tinyNetwork({ rate: 0 });
    const { trained, fixed } = modelVariables(network.model);
    const weights = pack(trained);
    const inputs: Tensor[] = [
      tf.tensor4d(batch.images, [...shape]),
      tf.tensor3d(batch.masks, [2, SIZE, SIZE], 'int32'),
      tf.scalar(0.01),
      tf.scalar(0.03),
      weights,
      tf.zerosLike(weights),
      tf.zerosLike(weights),
      pack(fixed),
    ];
    const step = trainingStep(network, 1e-4);
    const values = (outputs: Tensor[]) => outputs.map((output) => [...output.dataSync()]);
    const first = values(step(...inputs));
    network.model.setWeights(network.model.getWeights().map((w) => tf.fill(w.shape, 0.123)));
    expect(values(step(...inputs))).toEqual(first);
    expect(values([weights])[0]).not.toEqual(first[1]);
  });

  it('has the gradient that finite differences give', () => {
    const network = tinyNetwork({ rate: 0 });
    const learner = new Learner(network, 0, shape, undefined);
    const { trained } = modelVariables(network.model);
    const bias = trained.at(-1)!;
    const before = [...bias.dataSync()];
    const lossAt = (delta: number) =>
      tf.tidy(() => {
        bias.assign(tf.tensor1d([before[0]! + delta, before[1]!]));
        const images = tf.tensor4d(batch.images, [...shape]);
        const out = network.model.apply(images, { training: true }) as tf.Tensor4D;
        return network.loss([out], tf.tensor3d(batch.masks, [2, SIZE, SIZE], 'int32')).dataSync()[0]!;
      });
    const slope = (lossAt(0.01) - lossAt(-0.01)) / 0.02;
    return learner
      .learn(batch, 0.01, 1)
      .then(() => learner.vectors())
      .then(({ first }) => expect(first!.at(-2)! / 0.1).toBeCloseTo(slope, 3))
      .finally(() => learner.dispose());
  });

  it('updates the running statistics of batch norm', async () => {
    const network = tinyNetwork();
    const learner = new Learner(network, 0, shape, undefined);
    await learner.learn(batch, 0.01, 1);
    learner.commit();
    const [mean, variance] = modelVariables(network.model).fixed;
    expect([...mean!.dataSync()].every((value) => value !== 0)).toBe(true);
    // 0.9 * 1 + 0.1 * (variance of the batch)
    expect([...variance!.dataSync()].every((value) => value > 0.9)).toBe(true);
    learner.dispose();
  });

  it('leaves frozen weights alone', async () => {
    const network = tinyNetwork();
    network.model.getLayer('first').trainable = false;
    const frozen = () =>
      network.model
        .getLayer('first')
        .getWeights()
        .map((w) => [...w.dataSync()]);
    const [before, all] = [frozen(), weightsOf(network)];
    const learner = new Learner(network, 0.1, shape, undefined);
    await learner.learn(batch, 0.01, 1);
    learner.commit();
    expect(frozen()).toEqual(before);
    expect(weightsOf(network)).not.toEqual(all);
    learner.dispose();
  });

  it('is compiled where the engine can, with dropout too', async () => {
    for (const rate of [0, 0.2]) {
      let [used, disposed] = [0, 0];
      const network = tinyNetwork({ rate });
      const learner = new Learner(network, 0, shape, (step) =>
        Object.assign((...inputs: Tensor[]) => (used++, step(...inputs)), { dispose: () => void disposed++ }),
      );
      for (let step = 1; step <= 3; step++) await learner.learn(batch, 0.01, step);
      learner.dispose();
      expect([used, disposed]).toEqual([3, 1]);
    }
  });

  it('holds no more tensors and bytes after 200 steps than after 2', async () => {
    const before = tf.memory();
    const network = tinyNetwork();
    const learner = new Learner(network, 1e-4, shape, undefined);
    const learn = async (from: number, to: number) => {
      for (let step = from; step <= to; step++) await learner.learn(batch, 0.01, step);
      const { numTensors, numDataBuffers, numBytes } = tf.memory();
      return { numTensors, numDataBuffers, numBytes };
    };
    const early = await learn(1, 2);
    expect(await learn(3, 200)).toEqual(early);
    learner.dispose();
    network.model.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
  });
});
