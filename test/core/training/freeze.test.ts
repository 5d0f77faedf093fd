import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { freeze } from '../../../core/training/freeze.ts';
import { outputsOf } from '../../../core/training/step.ts';
import { trainNetwork } from '../../../core/training/trainer.ts';
import { config, request, SIZE, tinyNetwork } from './helpers.ts';

beforeAll(() => tf.setBackend('cpu'));

/** What every layer holds, as text. */
function layersOf({ model }: ReturnType<typeof tinyNetwork>): Record<string, string> {
  const held = ({ weights }: (typeof model.layers)[number]) =>
    weights.map((weight) => [...weight.read().dataSync()].join()).join(';');
  return Object.fromEntries(model.layers.map((layer) => [layer.name, held(layer)]));
}

async function changedBy(patterns: readonly string[]): Promise<string[]> {
  const network = tinyNetwork();
  const before = layersOf(network);
  await trainNetwork(request({ network, config: { ...config, epochs: 1, freeze: patterns } }));
  const after = layersOf(network);
  expect(network.model.trainableWeights).toHaveLength(6);
  return Object.keys(before).filter((name) => before[name] !== after[name]);
}

describe('freeze', () => {
  it.each([
    [[], ['first', 'norm', 'last']],
    [['first'], ['norm', 'last']],
    // Running statistics of a frozen layer stay too.
    [['norm'], ['first', 'last']],
    [['*', '!l*'], ['last']],
    [['*st', '!first', 'fi*'], ['norm']],
  ])('%j leaves to learn %j', async (patterns, expected) => {
    expect(await changedBy(patterns)).toEqual(expected);
  });

  it('lets frozen layers work as in inference, dropout included, until it is undone', () => {
    const { model } = tinyNetwork();
    const images = tf.randomUniform([2, SIZE, SIZE, 1], 0, 255, 'float32', 3) as tf.Tensor4D;
    const output = (training: boolean) => [...outputsOf(model, images, training)[0]!.dataSync()];
    const inference = output(false);
    const unfreeze = freeze(model, ['*', '!last']);
    expect(output(true)).toEqual(inference);
    unfreeze();
    expect(output(true)).not.toEqual(inference);
  });

  it.each([
    [['frist'], "No layer is called 'frist'", /first/],
    [['*'], 'nothing is left to learn', /free some/],
  ])('refuses %j', (patterns, message, next) => {
    const { model } = tinyNetwork();
    expect(() => freeze(model, patterns)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(message) as string,
        parts: expect.objectContaining({ next: expect.stringMatching(next) as string }) as object,
      }),
    );
    expect(model.trainableWeights).toHaveLength(6);
  });
});
