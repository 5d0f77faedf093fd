import assert from 'node:assert/strict';
import type { Scalar, Tensor4D } from '@tensorflow/tfjs-core';
import { buildNetwork, type Network } from '../../models/network.ts';
import { networkSegmenter } from '../../models/segmenter.ts';
import { loadWeights, saveWeights } from '../../models/weights.ts';
import type { ModelPlugin, ModelRequest, NetworkPlugin } from '../../plugin.ts';
import type { Context, Dataset, Segmenter } from '../../vocabulary.ts';
import { imageBatch, maskBatch, samplesOf } from '../batches.ts';
import { expectClose } from '../close.ts';
import { makeContext, temporaryFolder } from '../context.ts';
import { tinyDataset } from '../toys.ts';
import { expectNoLeak, type Check, type ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';
import * as segmenters from './segmenter.ts';

export interface ModelSettings extends ContractSettings {
  /** Image sizes to build for; two that differ, the first not square. */
  readonly sizes?: readonly { readonly height: number; readonly width: number; readonly channels: number }[];
}

const SIZES = [
  { height: 32, width: 64, channels: 1 },
  { height: 32, width: 32, channels: 3 },
];

/** What every model must satisfy. */
export function modelChecks(plugin: ModelPlugin, settings: ModelSettings = {}): Check[] {
  const { sizes = SIZES } = settings;
  return [
    ...metadataChecks(plugin, settings),
    ...sizes.flatMap((size) =>
      segmenterChecks(plugin, settings, tinyDataset({ ...size, train: 2, test: 3 })),
    ),
    ...('build' in plugin
      ? networkChecks(plugin, settings, tinyDataset({ ...sizes[0]!, train: 2, test: 2 }))
      : []),
  ];
}

function segmenterChecks(plugin: ModelPlugin, settings: ModelSettings, data: Dataset): Check[] {
  const at = `${data.height} x ${data.width} x ${data.channels}`;
  const check = (name: string, run: (subject: segmenters.Subject) => Promise<void>): Check => ({
    name: `${name} (${at})`,
    run: () => withSegmenter(plugin, settings, data, run),
  });
  return [
    check('gives finite logits for every pixel', segmenters.logitsFit),
    check('does not let images of a batch influence each other', segmenters.companionsDoNotMatter),
    check('has a finite input gradient that is not zero', segmenters.hasInputGradient),
    check('leaks no tensor while it computes', segmenters.leaksNothing),
    check('has a fingerprint, the same when opened again', async ({ segmenter }) => {
      assert.notEqual(segmenter.fingerprint, '');
      await withSegmenter(plugin, settings, data, async (other) => {
        assert.equal(other.segmenter.fingerprint, segmenter.fingerprint);
      });
    }),
    { name: `leaks no tensor when it is disposed (${at})`, run: () => disposesAll(plugin, settings, data) },
  ];
}

/** What only trainable networks must satisfy. */
function networkChecks(plugin: NetworkPlugin, settings: ModelSettings, data: Dataset): Check[] {
  const build = async (seed = 0) => {
    const ctx = await makeContext({ ...settings, seed });
    return buildNetwork(plugin, resolvedOptions(plugin, settings.options), [], requestFor(data), ctx);
  };
  return [
    {
      name: 'has a finite loss whose gradient reaches every weight',
      run: async () => trains(await build(), data),
    },
    {
      name: 'takes other initial weights from another seed',
      run: async () => seeded(await build(1), await build(2)),
    },
    {
      name: 'gives the same logits after saving and loading',
      run: async () => roundTrip(await build(1), await build(2), data),
    },
  ];
}

function requestFor({ height, width, channels, classes, domain }: Dataset): ModelRequest {
  return { height, width, channels, classes, domain };
}

async function open(
  plugin: ModelPlugin,
  settings: ModelSettings,
  data: Dataset,
  ctx: Context,
): Promise<Segmenter> {
  const options = resolvedOptions(plugin, settings.options);
  if ('open' in plugin) return plugin.open({ ...requestFor(data), train: data.train }, options, ctx);
  return networkSegmenter(buildNetwork(plugin, options, [], requestFor(data), ctx), []);
}

async function withSegmenter(
  plugin: ModelPlugin,
  settings: ModelSettings,
  data: Dataset,
  body: (subject: segmenters.Subject) => Promise<void>,
): Promise<void> {
  const ctx = await makeContext(settings);
  const segmenter = await open(plugin, settings, data, ctx);
  try {
    await body({ ctx, segmenter, data });
  } finally {
    segmenter.dispose();
  }
}

async function disposesAll(plugin: ModelPlugin, settings: ModelSettings, data: Dataset): Promise<void> {
  const { tf } = await makeContext(settings);
  await expectNoLeak(tf, () =>
    withSegmenter(plugin, settings, data, async (subject) => {
      const x = imageBatch(tf, await samplesOf(data.test));
      segmenters.exercise(subject, x);
      x.dispose();
    }),
  );
}

async function trains(network: Network, data: Dataset): Promise<void> {
  const { tf } = network.ctx;
  const samples = await samplesOf(data.train);
  const [x, masks] = [imageBatch(tf, samples), maskBatch(tf, samples)];
  const loss = (): Scalar =>
    network.loss([network.model.apply(x, { training: true }) as Tensor4D[]].flat(), masks);
  const variables = network.model.trainableWeights.map(
    (weight) => weight.read() as ReturnType<typeof tf.variable>,
  );
  const { value, grads } = tf.variableGrads(loss, variables);
  assert(Number.isFinite(value.dataSync()[0]), `the loss is ${value.dataSync()[0]}`);
  assert.equal(
    Object.keys(grads).length,
    network.model.trainableWeights.length,
    'weights without a gradient',
  );
  for (const [name, gradient] of Object.entries(grads))
    segmenters.expectFinite(gradient, `gradient of ${name}`);
  tf.dispose([x, masks, value, grads]);
  network.dispose();
}

async function seeded(one: Network, other: Network): Promise<void> {
  const [a, b] = [await networkSegmenter(one, []), await networkSegmenter(other, [])];
  assert.notEqual(a.fingerprint, b.fingerprint, 'initial weights do not depend on the seed');
  a.dispose();
  b.dispose();
}

/** `other` starts from other weights, so that what it says after loading comes from the file. */
async function roundTrip(network: Network, other: Network, data: Dataset): Promise<void> {
  const { tf } = network.ctx;
  const dir = temporaryFolder();
  await saveWeights(network.model, dir);
  await loadWeights(other.model, dir);
  const [a, b] = [await networkSegmenter(network, []), await networkSegmenter(other, [])];
  assert.equal(b.fingerprint, a.fingerprint, 'the fingerprint changed');
  const x = imageBatch(tf, await samplesOf(data.test));
  const [wanted, got] = [a.logits(x), b.logits(x)];
  expectClose(got, wanted);
  tf.dispose([x, wanted, got]);
  a.dispose();
  b.dispose();
}
