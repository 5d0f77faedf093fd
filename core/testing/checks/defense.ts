import assert from 'node:assert/strict';
import type { Scalar, Tensor4D } from '@tensorflow/tfjs-core';
import { buildNetwork } from '../../models/network.ts';
import { networkSegmenter } from '../../models/segmenter.ts';
import type { DefensePlugin } from '../../plugin.ts';
import { makeRandom } from '../../random.ts';
import type { Context, Dataset } from '../../vocabulary.ts';
import { imageBatch, samplesOf } from '../batches.ts';
import { expectClose } from '../close.ts';
import { makeContext } from '../context.ts';
import { toyNetwork } from '../toy-network.ts';
import { linearSegmenter, thresholdWeights, tinyDataset } from '../toys.ts';
import { expectNoLeak, type AnyOptions, type Check, type ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';
import * as segmenters from './segmenter.ts';

export interface DefenseSettings extends ContractSettings {
  /** Taps that the toy network offers to an architecture defense. */
  readonly taps?: readonly string[];
}

/** What every defense must satisfy. */
export function defenseChecks(plugin: DefensePlugin, settings: DefenseSettings = {}): Check[] {
  const { transform, input, output } = plugin;
  return [
    ...metadataChecks(plugin, settings),
    {
      name: 'defends somewhere',
      run: () => assert(transform ?? input ?? output, 'neither transform, input nor output'),
    },
    ...(transform ? architectureChecks(plugin, settings) : []),
    ...(input ? mapChecks('input', plugin, settings) : []),
    ...(input
      ? [{ name: 'keeps images inside the intensity range', run: () => staysInRange(plugin, settings) }]
      : []),
    ...(output ? mapChecks('output', plugin, settings) : []),
  ];
}

/** A network with the defense in it must behave as any model does; core checks shapes and taps while it builds. */
function architectureChecks(plugin: DefensePlugin, settings: DefenseSettings): Check[] {
  const data = tinyDataset({ height: 8, width: 12, test: 3 });
  const check = (name: string, run: (subject: segmenters.Subject) => Promise<void>): Check => ({
    name: `as architecture: ${name}`,
    run: () => withDefended(plugin, settings, data, run),
  });
  return [
    check('keeps the shape, and logits stay finite', segmenters.logitsFit),
    check('does not let images of a batch influence each other', segmenters.companionsDoNotMatter),
    check('stays differentiable', segmenters.hasInputGradient),
    check('draws its weights from the seed', async ({ segmenter }) => {
      await withDefended(plugin, settings, data, async (other) => {
        assert.equal(other.segmenter.fingerprint, segmenter.fingerprint);
      });
    }),
    {
      name: 'as architecture: leaks no tensor',
      run: async () => {
        const { tf } = await makeContext(settings);
        await expectNoLeak(tf, () => withDefended(plugin, settings, data, segmenters.leaksNothing));
      },
    },
  ];
}

async function withDefended(
  plugin: DefensePlugin,
  settings: DefenseSettings,
  data: Dataset,
  body: (subject: segmenters.Subject) => Promise<void>,
): Promise<void> {
  const ctx = await makeContext(settings);
  const defenses = [{ plugin, options: resolvedOptions(plugin, settings.options) }];
  const network = buildNetwork(toyNetwork(settings.taps), {}, defenses, data, ctx);
  const segmenter = await networkSegmenter(network, defenses);
  try {
    await body({ ctx, segmenter, data });
  } finally {
    segmenter.dispose();
  }
}

type Place = 'input' | 'output';

/** Input and output defenses: differentiable maps of one batch to another of the same shape. */
function mapChecks(place: Place, plugin: DefensePlugin, settings: DefenseSettings): Check[] {
  const check = (name: string, run: (map: DefenseMap) => void | Promise<void>): Check => ({
    name: `as ${place}: ${name}`,
    run: async () => {
      const ctx = await makeContext(settings);
      const map = await mapOf(place, plugin, resolvedOptions(plugin, settings.options), ctx);
      await run(map);
      map.x.dispose();
    },
  });
  return [
    check('keeps shape and type, and gives finite values', keepsShape),
    check('gives the same for the same batch', repeats),
    check('does not let images of a batch influence each other', independent),
    check('passes a finite gradient that is not zero', passesGradient),
    check('leaks no tensor', ({ tf, x, apply }) => expectNoLeak(tf, () => tf.tidy(() => void apply(x)))),
  ];
}

interface DefenseMap {
  readonly tf: Context['tf'];
  /** Images, or logits of a threshold model. */
  readonly x: Tensor4D;
  apply(x: Tensor4D): Tensor4D;
}

async function mapOf(
  place: Place,
  plugin: DefensePlugin,
  options: AnyOptions,
  ctx: Context,
): Promise<DefenseMap> {
  const data = tinyDataset({ channels: 3 });
  const images = imageBatch(ctx.tf, await samplesOf(data.test));
  if (place === 'input')
    return { tf: ctx.tf, x: images, apply: (x) => plugin.input!(x, data.domain, options, ctx) };
  const model = linearSegmenter(ctx.tf, thresholdWeights(3));
  const logits = model.logits(images);
  model.dispose();
  images.dispose();
  return { tf: ctx.tf, x: logits, apply: (x) => plugin.output!(x, options, ctx) };
}

function keepsShape({ tf, x, apply }: DefenseMap): void {
  tf.tidy(() => {
    const result = apply(x);
    assert.deepEqual(result.shape, x.shape);
    assert.equal(result.dtype, x.dtype);
    segmenters.expectFinite(result, 'values');
  });
}

function repeats({ tf, x, apply }: DefenseMap): void {
  tf.tidy(() => expectClose(apply(x), apply(x)));
}

function independent({ tf, x, apply }: DefenseMap): void {
  tf.tidy(() => {
    const reversed = tf.reverse(apply(tf.reverse(x, 0)), 0);
    expectClose(reversed, apply(x));
    const lonely = apply(tf.concat([tf.slice(x, 0, 1), tf.zerosLike(tf.slice(x, 1))]) as Tensor4D);
    expectClose(tf.slice(lonely, 0, 1), tf.slice(apply(x), 0, 1));
  });
}

/** The gradient of a weighted sum, in which no two values have equal weight, so that none can cancel. */
function passesGradient({ tf, x, apply }: DefenseMap): void {
  tf.tidy(() => {
    const { uniform } = makeRandom(0)('defense');
    const weights = tf.tensor(Float32Array.from({ length: x.size }, uniform), x.shape);
    const gradient = tf.grad((input) => tf.sum(tf.mul(apply(input as Tensor4D), weights)) as Scalar)(x);
    segmenters.expectFinite(gradient, 'gradient');
    segmenters.expectNonZero(tf.unstack(gradient), 'gradient');
  });
}

async function staysInRange(plugin: DefensePlugin, settings: DefenseSettings): Promise<void> {
  const ctx = await makeContext(settings);
  const { x, apply, tf } = await mapOf('input', plugin, resolvedOptions(plugin, settings.options), ctx);
  const { low, high } = tinyDataset().domain;
  tf.tidy(() => {
    const extremes = [x, tf.fill(x.shape, low), tf.fill(x.shape, high)] as Tensor4D[];
    for (const image of extremes) {
      const odd = apply(image)
        .dataSync()
        .find((value) => !(value >= low && value <= high));
      assert.equal(odd, undefined, `intensity ${odd} outside ${low} to ${high}`);
    }
  });
  x.dispose();
}
