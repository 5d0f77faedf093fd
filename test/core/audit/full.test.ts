import type { Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { checks } from '../../../core/audit/checks/index.ts';
import type { Earlier } from '../../../core/audit/subject.ts';
import { defineAttack, type AttackPlugin, type AuditResult, type Segmenter } from '../../../core/index.ts';
import {
  gradientKiller,
  linearSegmenter,
  makeContext,
  thresholdWeights,
  tinyDataset,
} from '../../../core/testing/index.ts';
import ifgsm from '../../../plugins/attacks/ifgsm.ts';
import pgd from '../../../plugins/attacks/pgd.ts';
import targeted from '../../../plugins/attacks/targeted-ifgsm.ts';
import { audit, named, type Setting } from './support.ts';

const ctx = await makeContext();
const { tf } = ctx;
const dataset = tinyDataset({ test: 4, train: 6 });
const honest = () => linearSegmenter(tf, thresholdWeights(1));

/** Foreground darker, background brighter, in both cases as far as allowed: what no gradient is needed for here. */
const guess = defineAttack({
  ...{ name: 'guess', summary: 'Moves every pixel towards the threshold.', norm: 'linf', options: {} },
  perturb: ({ x, budget }) =>
    tf.tidy(() => tf.sub(x, tf.mul(tf.sign(tf.sub(x, 128)), budget.eps))) as Tensor4D,
}) as never as AttackPlugin;

/** An iterative attack in long steps, which few of them suffice for, or with something else in their place. */
const attackWith = (change: object, plugin = targeted as never as AttackPlugin): AttackPlugin => {
  const steps = { stepSize: () => 4, steps: (eps: number) => eps / 4 + 4 };
  return { ...plugin, iteration: { ...plugin.iteration!, ...steps, ...change } };
};

/** What the checks of level full say, by name. */
async function full(more: Partial<Setting> = {}): Promise<Record<string, AuditResult>> {
  const segmenter = more.segmenter ?? honest();
  const setting = { ctx, dataset, segmenter, attack: attackWith({}), eps: [4, 32, 64] };
  const results = await audit({ ...setting, ...more, level: 'full' });
  return Object.fromEntries(results.map((result) => [result.check, result]));
}

const names = checks.filter(({ level }) => level === 'full').map(({ name }) => name);
const rivals = [guess, pgd as never as AttackPlugin];

describe('the full audit', () => {
  it('passes a threshold on brightness under a sound attack, and leaves its images for the next subject', async () => {
    const earlier: Earlier[] = [];
    const found = await full({ rivals, earlier });
    const others = names.filter((name) => name !== 'transfer');
    expect(others.filter((name) => found[name]!.verdict !== 'pass')).toEqual([]);
    expect(found['transfer']).toMatchObject({ verdict: 'not-run' });
    expect(earlier.map(({ eps }) => eps)).toEqual([4, 32, 64]);
    const again = await full({ earlier });
    expect(again['transfer']).toMatchObject({ verdict: 'pass' });
    expect(named(Object.values(again), 'not-run')).toEqual(['black-box', 'restarts']);
  });

  it('catches a gradient killer wherever something else shows that the score can fall', async () => {
    const earlier: Earlier[] = [];
    await full({ earlier });
    const found = await full({ segmenter: gradientKiller(tf, honest()), rivals, earlier });
    for (const name of ['unbounded', 'noise-floor', 'black-box', 'transfer', 'loss-curve'])
      expect(found[name], name).toMatchObject({ verdict: 'fail' });
  });

  it('catches too few steps: one long one, twice as many and random starts all reach further', async () => {
    const found = await full({ attack: attackWith({ steps: () => 5 }), rivals });
    for (const name of ['single-step', 'convergence', 'restarts', 'black-box'])
      expect(found[name], name).toMatchObject({ verdict: 'fail' });
    expect(found['convergence']!.advice).toContain('more steps');
  });

  it('catches an attack that turns round half way', async () => {
    const direction = (gradient: Tensor4D, memory: Tensor4D) => {
      const away = tf.sub(tf.mul(2, tf.cast(tf.less(memory, 12), 'float32')), 1);
      return { direction: tf.neg(tf.mul(tf.sign(gradient), away)), memory: tf.add(memory, 1) };
    };
    const found = await full({ attack: attackWith({ direction, steps: () => 20 }), eps: [64] });
    expect(found['best-iterate']).toMatchObject({ verdict: 'fail' });
    expect(found['loss-curve']).toMatchObject({ verdict: 'warn', numbers: { improved: 1, kept: 0.5 } });
  });

  it('catches a loss that is saturated, by softer logits', async () => {
    const segmenter = linearSegmenter(tf, thresholdWeights(1, 128, 3));
    const found = await full({ segmenter, attack: attackWith({}, ifgsm as never), eps: [64] });
    expect(found['logit-scale']).toMatchObject({ verdict: 'fail' });
  });

  it('catches a score that rises again', async () => {
    const attack = {
      ...guess,
      perturb: (request: Parameters<NonNullable<AttackPlugin['perturb']>>[0]) =>
        request.budget.eps > 32 ? request.x.clone() : guess.perturb!(request, {}, ctx),
    };
    const found = await full({ attack });
    expect(found['monotone']).toMatchObject({ verdict: 'fail', numbers: { eps: 64, risingImages: 4 } });
  });

  it('catches a loss that jumps', async () => {
    const segmenter: Segmenter = {
      ...{ channels: 1, fingerprint: 'jumping', dispose: () => undefined },
      logits: (x) =>
        tf.tidy(() => tf.add(tf.mul(tf.sin(tf.sum(x, [1, 2, 3], true)), 40), tf.mul(x, 0))) as Tensor4D,
    };
    const found = await full({ segmenter });
    expect(found['smooth-loss']!.verdict).not.toBe('pass');
  });
});
