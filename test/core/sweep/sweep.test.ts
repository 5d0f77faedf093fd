import { tensor4d, memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createHooks } from '../../../core/hooks.ts';
import { installPlugin } from '../../../core/install.ts';
import type { AttackPlugin, Context, Row, Segmenter } from '../../../core/index.ts';
import { defineAttack, defineIterativeAttack, crossEntropy } from '../../../core/index.ts';
import { sweepSubject } from '../../../core/sweep/sweep.ts';
import { verifyCandidate } from '../../../core/sweep/verify.ts';
import type { Candidate } from '../../../core/sweep/request.ts';
import {
  curvedSegmenter,
  linearSegmenter,
  makeContext,
  temporaryFolder,
  thresholdWeights,
  tinyDataset,
} from '../../../core/testing/index.ts';
import ifgsm from '../../../plugins/attacks/targeted-ifgsm.ts';
import dice from '../../../plugins/metrics/dice.ts';

const paper = [0.5, 1, ...Array.from({ length: 16 }, (_, i) => 2 * (i + 1))];
const engine = { info: { backend: 'cpu', version: '', device: '', threads: 1 } };
let ctx: Context;

beforeAll(async () => {
  ctx = await makeContext();
});

interface Setting {
  attack?: AttackPlugin;
  options?: Record<string, unknown>;
  eps?: readonly number[];
  segmenter?: Segmenter;
  share?: boolean;
  images?: number;
  batch?: number;
  signal?: AbortSignal;
  afterBatch?: () => void;
}

/** A sweep of a small model, with every adversarial image that was scored. */
async function sweep(setting: Setting = {}) {
  const {
    attack = ifgsm as never as AttackPlugin,
    eps = paper,
    share = true,
    images = 3,
    batch = 2,
  } = setting;
  const hooks = createHooks();
  for (const plugin of [attack, dice]) installPlugin(hooks, plugin as never);
  const seen = new Map<string, Float32Array>();
  hooks.verify.tap('core', verifyCandidate);
  hooks.verify.tap('test', ({ cell, ids, adversarial }: Candidate) =>
    ids.forEach((id, i) => {
      const size = adversarial.length / ids.length;
      seen.set(`${cell} ${id}`, adversarial.slice(i * size, (i + 1) * size));
    }),
  );
  if (setting.afterBatch) hooks.progress.tap('test', setting.afterBatch);
  const segmenter = setting.segmenter ?? curvedSegmenter(ctx.tf, 1);
  const result = await sweepSubject({
    name: 'toy',
    segmenter,
    dataset: tinyDataset({ test: 5 }),
    attacks: [
      { plugin: attack, options: setting.options ?? { stepSize: 1, steps: null }, label: attack.name },
    ],
    cells: eps.map((value) => ({
      ...{ id: `toy/${attack.name}/${value}`, subject: 'toy', attack: attack.name, eps: value },
      ...{ steps: null, shared: null, stepSize: null, gradients: null },
    })),
    metrics: [{ plugin: dice as never, options: { bothEmpty: 'best', oneEmpty: 'worst' } }],
    ...{ images, batch, share, engine, hooks },
    ...{ seed: 0, dir: temporaryFolder(), fresh: false },
    ctx: setting.signal ? { ...ctx, signal: setting.signal } : ctx,
  });
  segmenter.dispose();
  return { ...result, seen };
}

describe('a shared sweep', () => {
  it('equals one that runs every budget apart, bit for bit', async () => {
    const [shared, apart] = [await sweep(), await sweep({ share: false })];
    expect([...shared.seen]).toEqual([...apart.seen]);
    const scores = ({ rows }: { rows: readonly Row[] }) => rows.map(({ gradients: _, ...row }) => row);
    expect(scores(shared)).toEqual(scores(apart));
  });

  it('counts 69 gradients an image, 327 apart, and one forward pass a cell', async () => {
    expect((await sweep()).cost).toMatchObject({ gradients: 69 * 3, forwards: 19 * 3 });
    expect((await sweep({ share: false })).cost).toMatchObject({ gradients: 327 * 3 });
  });

  it('shares momentum too, which is part of the state', async () => {
    const momentum = defineIterativeAttack({
      name: 'momentum',
      summary: 'Momentum iterative FGSM.',
      norm: 'linf',
      options: {},
      steps: (eps) => Math.ceil(1.25 * eps),
      stepSize: () => 1,
      loss: (logits, { truth }) => crossEntropy(logits, truth),
      direction(gradient, memory) {
        const { tf } = ctx;
        const size = tf.maximum(tf.mean(tf.abs(gradient), [1, 2, 3], true), 1e-12);
        const next = tf.add(memory!, tf.div(gradient, size));
        return { direction: tf.sign(next) as never, memory: next as never };
      },
    }) as never as AttackPlugin;
    const [shared, apart] = [
      await sweep({ attack: momentum }),
      await sweep({ attack: momentum, share: false }),
    ];
    expect([...shared.seen]).toEqual([...apart.seen]);
    expect(shared.cost.gradients).toBeLessThan(apart.cost.gradients / 3);
  });

  it('stays exact with a step that float32 cannot hold', async () => {
    const options = { stepSize: 0.1, steps: null };
    const eps = [0.3, 0.7, 1, 2.1];
    const [shared, apart] = [await sweep({ options, eps }), await sweep({ options, eps, share: false })];
    expect([...shared.seen]).toEqual([...apart.seen]);
  });
});

describe('adversarial images', () => {
  it('are the clean ones at eps 0', async () => {
    const { seen, cost } = await sweep({ eps: [0], images: 1 });
    expect(seen.get('toy/targeted-ifgsm/0 test-0')).toEqual(seen.get('toy/clean/0 test-0'));
    expect(cost.gradients).toBe(0);
  });

  it('are whole numbers at whole eps, and use the whole budget', async () => {
    const { seen, rows } = await sweep({ eps: [4, 8] });
    for (const [cell, pixels] of seen)
      if (!cell.includes('clean')) expect(pixels.every(Number.isInteger)).toBe(true);
    for (const { eps, linf } of rows) expect(linf).toBe(eps);
  });

  it('follow the closed form on a linear model', async () => {
    const segmenter = linearSegmenter(ctx.tf, thresholdWeights(1));
    const { seen } = await sweep({ segmenter, eps: [8], images: 1 });
    const { mask } = await tinyDataset({ test: 5 }).test.get(0);
    const clean = seen.get('toy/clean/0 test-0')!;
    // Towards the inverse mask: foreground gets darker, background brighter, by the whole budget.
    const expected = clean.map((value, i) => value + (mask.data[i] === 1 ? -8 : 8));
    expect(seen.get('toy/targeted-ifgsm/8 test-0')).toEqual(expected);
  });
});

describe('batches', () => {
  it('change nothing by their order, their companions or a limit', async () => {
    const [all, few] = [await sweep({ eps: [4] }), await sweep({ eps: [4], images: 1 })];
    expect(few.seen.get('toy/targeted-ifgsm/4 test-0')).toEqual(all.seen.get('toy/targeted-ifgsm/4 test-0'));
    expect(few.rows[0]).toEqual(all.rows[0]);
  });

  it('leak no tensors over 50 cells', async () => {
    const segmenter = curvedSegmenter(ctx.tf, 1);
    const before = memory().numTensors;
    const kept = { ...segmenter, dispose: () => undefined };
    await sweep({ segmenter: kept, eps: Array.from({ length: 50 }, (_, i) => i + 1) });
    expect(memory().numTensors).toBe(before);
    segmenter.dispose();
  });

  it('keep whole batches when the run is interrupted', async () => {
    const abort = new AbortController();
    const { rows } = await sweep({ eps: [2, 4], signal: abort.signal, afterBatch: () => abort.abort() });
    expect(rows.map(({ sample }) => sample)).toEqual([
      'test-0',
      'test-1',
      'test-0',
      'test-1',
      'test-0',
      'test-1',
    ]);
  });
});

describe('what core rejects', () => {
  const make = (name: string, perturb: AttackPlugin['perturb']) =>
    defineAttack({
      name,
      summary: 'Broken.',
      norm: 'linf',
      options: {},
      perturb: perturb!,
    }) as never as AttackPlugin;
  const run = (attack: AttackPlugin) => sweep({ attack, eps: [4], images: 1 });

  it('NaN intensities', async () => {
    const attack = make('nan', ({ x }) => ctx.tf.mul(x, NaN));
    await expect(run(attack)).rejects.toMatchObject({ code: 'ATTACK_NOT_FINITE' });
  });

  it('another shape', async () => {
    const attack = make('shape', ({ x }) => ctx.tf.slice(x, [0, 0, 0, 0], [1, 1, 1, 1]));
    await expect(run(attack)).rejects.toMatchObject({ code: 'ATTACK_SHAPE' });
  });

  it('but clips what leaves the ball or the range', async () => {
    const attack = make('far', ({ x }) => ctx.tf.add(x, 1000));
    const { rows } = await run(attack);
    expect(rows.map(({ linf }) => linf)).toEqual([0, 4]);
  });

  it('NaN gradients, although sign and clip would hide them', async () => {
    const follower = make('follower', ({ model, x, truth }) =>
      ctx.tf.tidy(() => ctx.tf.sign(model.gradient(x, (logits) => crossEntropy(logits, truth)))),
    );
    const segmenter: Segmenter = {
      ...{ channels: 2, fingerprint: 'nan gradient', dispose: () => undefined },
      logits: (x) => {
        const { tf } = ctx;
        // sqrt(0) has the value 0 and no gradient.
        return tf.concat([x, tf.sqrt(tf.mul(x, 0))], 3) as never;
      },
    };
    for (const attack of [ifgsm, follower] as never[])
      await expect(sweep({ segmenter, attack, eps: [4] })).rejects.toMatchObject({
        code: 'GRADIENT_NOT_FINITE',
      });
  });

  it('an attack that follows the gradient of a model without one', async () => {
    const segmenter: Segmenter = {
      ...{ channels: 3, fingerprint: 'black box', gradient: false, dispose: () => undefined },
      logits: (x) => ctx.tf.clone(x),
    };
    const missing = { code: 'GRADIENT_MISSING' };
    await expect(sweep({ segmenter, eps: [4] })).rejects.toMatchObject(missing);
    const curious = make('curious', ({ model, x }) => model.gradient(x, (logits) => ctx.tf.sum(logits)));
    await expect(sweep({ segmenter, attack: curious, eps: [4] })).rejects.toMatchObject(missing);
    const shift = make('shift', ({ x }) => ctx.tf.add(x, 1));
    expect((await sweep({ segmenter, attack: shift, eps: [4], images: 1 })).rows).toHaveLength(2);
  });

  it('NaN logits', async () => {
    const segmenter: Segmenter = {
      ...{ channels: 1, fingerprint: 'nan', dispose: () => undefined },
      logits: (x) => ctx.tf.mul(x, NaN) as never,
    };
    await expect(sweep({ segmenter, eps: [] })).rejects.toMatchObject({ code: 'MODEL_NOT_FINITE' });
  });

  it('goal masks that do not fit', async () => {
    const attack = { ...ifgsm, goal: () => tensor4d([1], [1, 1, 1, 1]) } as never as AttackPlugin;
    await expect(run(attack)).rejects.toMatchObject({ code: 'GOAL_INVALID' });
  });

  it('images outside the ball or the range that reach the verify hook', () => {
    const candidate = {
      cell: 'c',
      budget: { norm: 'linf' as const, eps: 1 },
      domain: { low: 0, high: 255, step: 1 },
      ids: ['a'],
    };
    const check = (clean: number, adversarial: number) => () =>
      verifyCandidate({
        ...candidate,
        clean: Float32Array.of(clean),
        adversarial: Float32Array.of(adversarial),
      });
    expect(check(10, 12)).toThrow(expect.objectContaining({ code: 'ATTACK_LEFT_BALL' }));
    expect(check(0, -1)).toThrow(expect.objectContaining({ code: 'ATTACK_LEFT_RANGE' }));
    expect(check(10, 11)).not.toThrow();
  });
});
