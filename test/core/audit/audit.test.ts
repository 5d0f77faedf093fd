import type { Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropySum, labels, overlap } from '../../../core/audit/scores.ts';
import {
  crossEntropy,
  defineAttack,
  defineIterativeAttack,
  defineMetric,
  type AttackPlugin,
  type AuditEvent,
  type AuditResult,
  type Context,
  type Segmenter,
} from '../../../core/index.ts';
import {
  curvedSegmenter,
  linearSegmenter,
  makeContext,
  sigmoidThresholdWeights,
  tinyDataset,
} from '../../../core/testing/index.ts';
import ifgsm from '../../../plugins/attacks/targeted-ifgsm.ts';
import { audit, named, type Setting } from './support.ts';

let ctx: Context;
const dataset = tinyDataset({ test: 4, train: 6 });

beforeAll(async () => {
  ctx = await makeContext();
});

/** What one check says of the toy model, or of another. */
async function verdict(check: string, more: Partial<Setting> = {}): Promise<AuditResult> {
  const segmenter = more.segmenter ?? linearSegmenter(ctx.tf, sigmoidThresholdWeights(1));
  const results = await audit({ ctx, dataset, segmenter, ...more });
  segmenter.dispose();
  return results.find((result) => result.check === check)!;
}

const expectFail = async (check: string, more: Partial<Setting>) =>
  expect(await verdict(check, more)).toMatchObject({
    verdict: 'fail',
    advice: expect.stringMatching(/\w\.$/),
  });

/** The bundled attack with something else in its place. */
const attackWith = (more: object): AttackPlugin => ({ ...(ifgsm as never as AttackPlugin), ...more });

describe('the audit', () => {
  it('passes a threshold on brightness, a model with one sigmoid logit', async () => {
    const segmenter = linearSegmenter(ctx.tf, sigmoidThresholdWeights(1));
    const results = await audit({ ctx, dataset, segmenter });
    expect(results.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    segmenter.dispose();
  });

  it('does nothing when it is off', async () => {
    expect(await audit({ ctx, dataset, segmenter: curvedSegmenter(ctx.tf, 1), level: 'off' })).toEqual([]);
  });

  it('tells which check begins', async () => {
    const segmenter = linearSegmenter(ctx.tf, sigmoidThresholdWeights(1));
    const events: AuditEvent[] = [];
    const results = await audit({ ctx, dataset, segmenter, onCheck: (event) => events.push(event) });
    expect(events.map(({ check, attack }) => ({ check, attack }))).toEqual(
      results.map(({ check, attack }) => ({ check, attack })),
    );
    expect(events.at(-1)).toMatchObject({ subject: 'toy', done: results.length - 1, total: results.length });
    segmenter.dispose();
  });

  it('looks at eight images at most, and leaks no tensor', async () => {
    const many = tinyDataset({ test: 11 });
    const segmenter = curvedSegmenter(ctx.tf, 1);
    const before = ctx.tf.memory().numTensors;
    const results = await audit({ ctx, dataset: many, segmenter, images: 11 });
    expect(ctx.tf.memory().numTensors).toBe(before);
    expect(results.find(({ check }) => check === 'determinism')!.numbers['images']).toBe(8);
    segmenter.dispose();
  });

  it('asks no gradient of a model that has none', async () => {
    const whole = linearSegmenter(ctx.tf, sigmoidThresholdWeights(1));
    const segmenter: Segmenter = { ...whole, logits: (x) => whole.logits(x), gradient: false };
    const attack = defineAttack({
      ...{ name: 'shift', summary: 'Adds eps.', norm: 'linf', options: {} },
      perturb: ({ x, budget }) => ctx.tf.add(x, budget.eps),
    }) as never as AttackPlugin;
    const results = await audit({ ctx, dataset, segmenter, attack });
    const idle = results.filter(({ verdict }) => verdict === 'not-run').map(({ check }) => check);
    expect(idle).toEqual(expect.arrayContaining(['zero-gradient', 'finite-difference']));
    expect(results.map(({ message }) => message).join()).not.toContain('broke');
    segmenter.dispose();
  });

  it('takes a check that breaks for a failure', async () => {
    const broken = {
      name: 'broken',
      title: 'Works',
      level: 'quick',
      advice: 'Mend it.',
      per: 'subject',
    } as const;
    const check = { ...broken, run: () => Promise.reject(new Error('no such thing')) };
    expect(await verdict('broken', { more: [check] })).toMatchObject({
      verdict: 'fail',
      message: 'The check itself broke: no such thing',
    });
  });
});

describe('a check fails', () => {
  const noGradient = { norm: 'linf', options: {}, summary: 'Made to fail.' } as const;

  it('budget-used where the attack stays inside its ball', async () => {
    const idle = defineAttack({ name: 'idle', ...noGradient, perturb: ({ x }) => x });
    expect(await verdict('budget-used', { attack: idle as never })).toMatchObject({ verdict: 'fail' });
    const timid = defineAttack({
      ...{ name: 'timid', ...noGradient },
      perturb: ({ x, budget }) => ctx.tf.tidy(() => ctx.tf.add(x, budget.eps / 2)),
    });
    const found = await verdict('budget-used', { attack: timid as never });
    expect(found).toMatchObject({ verdict: 'warn', numbers: { used: 0.5, pixelsAtBound: 0 } });
  });

  it('sign-test where steps go uphill', async () => {
    const { steps, stepSize, loss } = attackWith({}).iteration!;
    const uphill = attackWith({
      iteration: { steps, stepSize, loss: (...given: Parameters<typeof loss>) => ctx.tf.neg(loss(...given)) },
    });
    await expectFail('sign-test', { attack: uphill });
  });

  it('sign-test of an untargeted attack where the loss of the truth falls', async () => {
    const untargeted = (sign: number) =>
      defineIterativeAttack({
        ...{ name: 'untargeted', summary: 'Steps along the gradient.', norm: 'linf', options: {} },
        ...{ steps: () => 1, stepSize: (eps) => eps },
        loss: (logits, { truth }) => ctx.tf.mul(crossEntropy(logits, truth), sign),
      }) as never;
    expect(await verdict('sign-test', { attack: untargeted(-1) })).toMatchObject({ verdict: 'pass' });
    await expectFail('sign-test', { attack: untargeted(1) });
  });

  it('finite-difference where a gradient has the wrong size', async () => {
    const inner = curvedSegmenter(ctx.tf, 1);
    const wrong = ctx.tf.customGrad((x) => ({
      value: ctx.tf.clone(x as Tensor4D),
      gradFunc: (dy) => ctx.tf.mul(dy, 1.5),
    }));
    const segmenter: Segmenter = { ...inner, logits: (x) => inner.logits(wrong(x) as Tensor4D) };
    const found = await verdict('finite-difference', { segmenter });
    expect(found.verdict).toBe('fail');
    // The derivative is 1.5 times the difference: they part by a third of the larger.
    expect(found.numbers['relativeError']).toBeCloseTo(1 / 3, 2);
  });

  it('logits where the outputs are probabilities, of one class or of two', async () => {
    for (const channels of [1, 2]) {
      const inner = curvedSegmenter(ctx.tf, 1, channels);
      const squash = channels === 1 ? ctx.tf.sigmoid : ctx.tf.softmax;
      const segmenter: Segmenter = { ...inner, logits: (x) => ctx.tf.tidy(() => squash(inner.logits(x))) };
      await expectFail('logits', { segmenter });
    }
  });

  it('png-survival where the attack lives between grey levels', async () => {
    // The threshold lies between two grey levels: the attack goes just below it, and rounding brings it back.
    const image = (value: number, data: Float32Array) => data.map((_, i) => (i % 2 === 0 ? value : 0));
    const half = {
      ...dataset,
      test: {
        ...dataset.test,
        get: async (i: number) => {
          const sample = await dataset.test.get(i);
          const mask = { ...sample.mask, data: sample.mask.data.map((_, p) => Number(p % 2 === 0)) };
          return { ...sample, mask, image: { ...sample.image, data: image(129, sample.image.data) } };
        },
      },
    };
    const fine = defineAttack({
      ...{ name: 'fine', ...noGradient },
      perturb: ({ x }) =>
        ctx.tf.tidy(() => ctx.tf.sub(x, ctx.tf.mul(ctx.tf.greater(x, 0), 1.25))) as Tensor4D,
    });
    const segmenter = linearSegmenter(ctx.tf, sigmoidThresholdWeights(1, 127.9));
    const found = await verdict('png-survival', {
      segmenter,
      dataset: half,
      attack: fine as never,
      eps: [2],
    });
    expect(found).toMatchObject({ verdict: 'fail', numbers: { before: 0 } });
  });

  it('batch-invariance where an image is seen relative to its companions', async () => {
    const inner = curvedSegmenter(ctx.tf, 1);
    const segmenter: Segmenter = { ...inner, logits: (x) => inner.logits(ctx.tf.sub(x, ctx.tf.mean(x, 0))) };
    await expectFail('batch-invariance', { segmenter });
  });

  it('unchanged-model where calls leave traces', async () => {
    const inner = curvedSegmenter(ctx.tf, 1);
    let calls = 0;
    const segmenter: Segmenter = {
      ...inner,
      logits: (x) => inner.logits(ctx.tf.add(x, calls++ > 9 ? 20 : 0)),
    };
    await expectFail('unchanged-model', { segmenter });
  });

  it('metric-identity where a metric is not what its counts say', async () => {
    const odd = defineMetric({
      ...{ name: 'odd', summary: 'Dice with a bonus.', better: 'higher', empty: 'NaN.', options: {} },
      measure: ({ confusion: { tp, fp, fn } }) => (2 * tp + 1) / (2 * tp + fp + fn + 1),
      pool: ({ tp, fp, fn }) => (2 * tp) / (2 * tp + fp + fn),
    });
    await expectFail('metric-identity', { segmenter: curvedSegmenter(ctx.tf, 1), metrics: [odd as never] });
  });
});

describe('a check does not run', () => {
  it('where there is nothing to look at', async () => {
    const blind = defineAttack({
      ...{ name: 'blind', summary: 'Asks nothing.', norm: 'linf', options: {} },
      perturb: ({ x, budget }) => ctx.tf.tidy(() => ctx.tf.add(x, budget.eps)),
    });
    const results = await audit({
      ...{ ctx, attack: blind as never, segmenter: curvedSegmenter(ctx.tf, 1), metrics: [] },
      dataset: { ...dataset, train: { ...dataset.train, ids: [] } },
    });
    expect(named(results, 'not-run')).toEqual(['sign-test', 'prior-floor', 'metric-identity']);
  });
});

describe('scores', () => {
  it('take the largest logit, the lowest class at a tie, and a sigmoid logit above 0', () => {
    expect(labels(Float32Array.of(1, 2, 2, 3, 3, 0), 3)).toEqual(Uint8Array.of(1, 0));
    expect(labels(Float32Array.of(-1, 0, 1), 1)).toEqual(Uint8Array.of(0, 0, 1));
  });

  it('are Dice, 1 where a class is neither there nor predicted', () => {
    const empty = { tp: 0, fp: 0, fn: 0, tn: 4 };
    expect(overlap([{ tp: 1, fp: 1, fn: 2, tn: 0 }])).toBeCloseTo(2 / 5);
    expect(overlap([{ tp: 1, fp: 1, fn: 2, tn: 0 }, empty])).toBeCloseTo(0.7);
  });

  it('sum cross-entropy without overflow', () => {
    expect(crossEntropySum(Float32Array.of(1000, 0, 0, 1000), 2, [0, 0])).toBeCloseTo(1000);
    expect(crossEntropySum(Float32Array.of(0), 1, [1])).toBeCloseTo(Math.log(2));
    expect(crossEntropySum(Float32Array.of(2), 1, [1])).toBeCloseTo(Math.log(1 + Math.exp(-2)));
  });
});
