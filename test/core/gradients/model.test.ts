import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { StepCache } from '../../../core/engine.ts';
import { CountedModel } from '../../../core/gradients/model.ts';
import { crossEntropy } from '../../../core/index.ts';
import type { AttackLoss, Engine } from '../../../core/plugin.ts';
import { engineOf, makeContext } from '../../../core/testing/context.ts';
import { curvedSegmenter } from '../../../core/testing/index.ts';
import { grey } from '../models/support.ts';

let engine: Engine;
beforeAll(async () => {
  await makeContext();
  engine = await engineOf();
});

const domain = { low: 0, high: 255, step: 1 };
const loss: AttackLoss = (logits, truth) => crossEntropy(logits, truth as Tensor3D);

function models() {
  const segmenter = curvedSegmenter(tf as never, 1);
  const [compiled, eager] = [0, 0].map(() => new CountedModel(segmenter, domain, 2)) as [
    CountedModel,
    CountedModel,
  ];
  const keys: string[] = [];
  const steps = new StepCache(engine);
  compiled.compile = (key, step) => (keys.push(key), steps.compile(key, step));
  return { compiled, eager, keys };
}

it('a gradient with a key is compiled once, and follows its inputs', () => {
  const { compiled, eager, keys } = models();
  compiled.images = eager.images = 1;
  const x = grey([1, 8, 8, 1]);
  const of = (model: CountedModel, truth: Tensor3D, key?: string) =>
    model.gradient(x, loss, key, [truth]).dataSync();
  const [dark, bright] = [tf.zeros<tf.Rank.R3>([1, 8, 8], 'int32'), tf.ones<tf.Rank.R3>([1, 8, 8], 'int32')];
  const found = [of(compiled, dark, 'loss'), of(compiled, bright, 'loss')];
  expect(found).toEqual([of(eager, dark), of(eager, bright)]);
  expect(found[0]).not.toEqual(found[1]);
  expect(keys).toEqual(['gradient loss', 'gradient loss']);
  expect(compiled.gradients).toBe(2);
});

it('logits are compiled, and counted', () => {
  const { compiled, eager, keys } = models();
  compiled.images = 3;
  const x: Tensor4D = grey([1, 8, 8, 1]);
  expect(compiled.logits(x).dataSync()).toEqual(eager.logits(x).dataSync());
  expect({ keys, forwards: compiled.forwards }).toEqual({ keys: ['logits'], forwards: 3 });
});
