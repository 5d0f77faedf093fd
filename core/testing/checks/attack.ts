import assert from 'node:assert/strict';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { crossEntropy } from '../../gradients/losses.ts';
import type { AttackPlugin, AttackRequest } from '../../plugin.ts';
import { attackBatch } from '../../sweep/attack.ts';
import { achievedNorms } from '../../sweep/verify.ts';
import type { Sample, Segmenter } from '../../vocabulary.ts';
import { maskBatch } from '../batches.ts';
import { expectClose } from '../close.ts';
import { engineOf, makeContext } from '../context.ts';
import * as toys from '../toys.ts';
import { Bench, EPS, filled, flat } from './bench.ts';
import { expectNoLeak, lazy, type Check, type ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';

/** What every attack must satisfy. It is run as the runner runs it: core walks, clips and verifies. */
export function attackChecks(plugin: AttackPlugin, settings: ContractSettings = {}): Check[] {
  const bench = lazy(
    async () => new Bench(plugin, settings, await makeContext(settings), await engineOf(settings.backend)),
  );
  const check = (name: string, run: (bench: Bench) => Promise<void>): Check => ({
    name,
    run: async () => run(await bench()),
  });
  return [
    ...metadataChecks(plugin, settings),
    { name: 'either perturbs images or describes its steps', run: () => oneWay(plugin) },
    { name: 'plans whole numbers of steps of positive length', run: () => sensibleSteps(plugin, settings) },
    check('asks for goal masks that fit the data', goalFits),
    check('leaves images alone at eps 0, bit for bit', identityAtZero),
    check('stays finite, in the ball and in the range at every eps', staysInside),
    check('proposes nothing outside the ball for core to cut off', proposesInside),
    check('changes images where it may', doesSomething),
    check('serves one sigmoid logit and three classes as well as two', servesEveryHead),
    check('gives the same bytes for the same seed', deterministic),
    check('gives the same bytes whatever the order and the companions of an image', companionsDoNotMatter),
    check('gives the same bytes whether budgets share a trajectory or not', sharingDoesNotMatter),
    check('gets nearer to what it wants, if it uses gradients', improvesItsLoss),
    check('changes neither the model nor what it was given', changesNothingElse),
    check('leaks no tensor', leaksNothing),
  ];
}

function oneWay({ perturb, iteration }: AttackPlugin): void {
  assert((perturb === undefined) !== (iteration === undefined), 'either perturb or iteration');
}

function sensibleSteps(plugin: AttackPlugin, settings: ContractSettings): void {
  const options = resolvedOptions(plugin, settings.options);
  for (const eps of plugin.iteration ? EPS : []) {
    const steps = plugin.iteration!.steps(eps, options);
    const length = plugin.iteration!.stepSize(eps, options);
    assert(Number.isInteger(steps) && steps >= 1, `${steps} steps at eps ${eps}`);
    assert(length > 0 && Number.isFinite(length), `steps of length ${length} at eps ${eps}`);
  }
}

async function goalFits(bench: Bench): Promise<void> {
  const { plugin, options, ctx } = bench;
  if (!plugin.goal) return;
  const samples = await bench.samples();
  for (const classes of [2, 3]) {
    const truth = maskBatch(ctx.tf, samples);
    const goal = plugin.goal(truth, classes, options, ctx);
    assert.deepEqual(goal.shape, truth.shape);
    assert.equal(goal.dtype, 'int32');
    const odd = goal.dataSync().find((value) => !(value >= 0 && value < classes));
    assert.equal(odd, undefined, `class ${odd} of ${classes}`);
    ctx.tf.dispose([truth, goal]);
  }
}

async function identityAtZero(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  const { images, gradients } = await bench.withCurved((segmenter) =>
    bench.run({ segmenter, samples, eps: [0] }),
  );
  expectClose(images.get(0)!, flat(samples));
  assert.equal(gradients, 0, 'gradients at eps 0');
}

async function staysInside(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  // Images at both ends of the range, where there is no room to move outwards.
  const extreme = [0, 255].map((value, i) => filled(samples[i]!, value));
  const all = [...samples, ...extreme];
  const { images } = await bench.withCurved((segmenter) => bench.run({ segmenter, samples: all }));
  assert.deepEqual(
    [...images.keys()].sort((a, b) => a - b),
    EPS,
    'an eps without images',
  );
}

/** What lies outside the ball was optimised for nothing: core cuts it off before it scores. */
async function proposesInside(bench: Bench): Promise<void> {
  const { plugin, options, ctx } = bench;
  if (!plugin.perturb) return;
  const samples = await bench.samples();
  await bench.withCurved(async (segmenter) => {
    const request = bench.request({ segmenter, samples });
    for (const budget of request.budgets) {
      const asked: AttackRequest = { ...request, budget };
      const proposed = await plugin.perturb!(asked, options, ctx);
      assert.deepEqual(proposed.shape, request.x.shape);
      const adversarial = proposed.dataSync<'float32'>();
      assert(adversarial.every(Number.isFinite), `NaN or infinity at eps ${budget.eps}`);
      const norms = achievedNorms({ clean: flat(samples), adversarial, ids: request.ids });
      assert(
        Math.max(...norms) <= budget.eps + 1e-4,
        `a change of ${Math.max(...norms)} at eps ${budget.eps}`,
      );
      if (proposed !== request.x) proposed.dispose();
    }
    request.dispose();
  });
}

async function doesSomething(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  const { images } = await bench.withCurved((segmenter) => bench.run({ segmenter, samples }));
  const norms = achievedNorms({
    clean: flat(samples),
    adversarial: images.get(16)!,
    ids: samples.map(({ id }) => id),
  });
  norms.forEach((norm, i) => assert(norm > 0, `image ${i} is unchanged at eps 16`));
}

async function servesEveryHead(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  for (const [channels, classes] of [
    [1, 2],
    [2, 2],
    [3, 3],
  ] as const) {
    await bench.withCurved((segmenter) => bench.run({ segmenter, samples, classes }), channels);
  }
}

async function deterministic(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  const again = await makeContext(bench.settings);
  await bench.withCurved(async (segmenter) => {
    const one = await bench.run({ segmenter, samples });
    const other = await bench.run({ segmenter, samples }, again);
    for (const eps of EPS) expectClose(other.images.get(eps)!, one.images.get(eps)!);
  });
}

async function companionsDoNotMatter(bench: Bench): Promise<void> {
  const [a, b, c, d, e] = (await bench.samples()) as [Sample, Sample, Sample, Sample, Sample];
  const size = a.image.data.length;
  await bench.withCurved(async (segmenter) => {
    const one = await bench.run({ segmenter, samples: [a, b, c] });
    const other = await bench.run({ segmenter, samples: [d, a, e] });
    for (const eps of EPS) {
      expectClose(other.images.get(eps)!.subarray(size, 2 * size), one.images.get(eps)!.subarray(0, size));
    }
  });
}

/** Also that an eps gives the same without the others: the runner may be asked for any list. */
async function sharingDoesNotMatter(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  await bench.withCurved(async (segmenter) => {
    const together = await bench.run({ segmenter, samples });
    const apart = await bench.run({ segmenter, samples, share: false });
    const alone = await bench.run({ segmenter, samples, eps: [EPS[2]!] });
    for (const eps of EPS) expectClose(apart.images.get(eps)!, together.images.get(eps)!);
    expectClose(alone.images.get(EPS[2]!)!, together.images.get(EPS[2]!)!);
  });
}

/**
 * On a linear model every honest gradient step helps: a targeted attack lowers the loss of its goal, another raises
 * the loss of the truth, for each image, at each eps.
 */
async function improvesItsLoss(bench: Bench): Promise<void> {
  const { tf } = bench.ctx;
  const samples = await bench.samples();
  for (const weights of [toys.thresholdWeights(3), toys.sigmoidThresholdWeights(3)]) {
    const segmenter = toys.linearSegmenter(tf, weights);
    const { images, gradients } = await bench.run({ segmenter, samples });
    const request = bench.request({ segmenter, samples });
    const sign = bench.plugin.goal ? -1 : 1;
    const before = lossPerImage(bench, segmenter, request.x, request.goal);
    for (const [eps, data] of gradients > 0 ? images : []) {
      const x = tf.tensor4d(data, request.x.shape);
      lossPerImage(bench, segmenter, x, request.goal).forEach((after, i) => {
        const moved = `from ${before[i]} to ${after} for image ${i} at eps ${eps}`;
        assert(
          sign * (after - before[i]!) > 0,
          `the loss of the ${bench.plugin.goal ? 'goal' : 'truth'} went ${moved}`,
        );
      });
      x.dispose();
    }
    request.dispose();
    segmenter.dispose();
  }
}

function lossPerImage({ ctx: { tf } }: Bench, segmenter: Segmenter, x: Tensor4D, masks: Tensor3D): number[] {
  return tf.tidy(() =>
    Array.from({ length: x.shape[0] }, (_, i) => {
      const [image, mask] = [tf.slice(x, i, 1), tf.slice(masks, i, 1)];
      return crossEntropy(segmenter.logits(image), mask).dataSync()[0]!;
    }),
  );
}

async function changesNothingElse(bench: Bench): Promise<void> {
  const { tf } = bench.ctx;
  const samples = await bench.samples();
  await bench.withCurved(async (segmenter) => {
    const request = bench.request({ segmenter, samples });
    const given = {
      x: request.x,
      truth: request.truth,
      goal: request.goal,
      logits: segmenter.logits(request.x),
    };
    const copies = Object.values(given).map((tensor) => tensor.dataSync().slice());
    for await (const { x } of attackBatch(request)) x.dispose();
    const logits = segmenter.logits(request.x);
    Object.values({ ...given, logits }).forEach((tensor, i) => expectClose(tensor.dataSync(), copies[i]!));
    tf.dispose([given.logits, logits]);
    request.dispose();
  });
}

async function leaksNothing(bench: Bench): Promise<void> {
  const samples = await bench.samples();
  await bench.withCurved((segmenter) =>
    expectNoLeak(bench.ctx.tf, async () => {
      await bench.run({ segmenter, samples });
    }),
  );
}
