import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditResult, Context, Dataset, Segmenter } from '../../../core/index.ts';
import { checks } from '../../../core/audit/checks/index.ts';
import { createHooks } from '../../../core/hooks.ts';
import { installPlugin } from '../../../core/install.ts';
import { resolveOptions } from '../../../core/registry/index.ts';
import { openSubject } from '../../../core/subjects/subject.ts';
import {
  constantModel,
  gradientKiller,
  inputQuantiser,
  makeContext,
  noiseAdder,
  priorOnly,
  temporaryFolder,
} from '../../../core/testing/index.ts';
import { engineOf } from '../../../core/testing/context.ts';
import { config as training } from '../training/helpers.ts';
import skin from '../../../plugins/datasets/skin-phantom.ts';
import unet from '../../../plugins/models/unet.ts';
import { audit, named } from './support.ts';

let ctx: Context;
let dataset: Dataset;
let model: Segmenter;

beforeAll(async () => {
  ctx = await makeContext();
  dataset = await skin.load({ size: 16, channels: 1, train: 48, test: 4 }, ctx);
  model = await trainedUnet();
});

/** A U-Net that has learnt what the phantoms show. */
async function trainedUnet(): Promise<Segmenter> {
  const hooks = createHooks();
  installPlugin(hooks, unet as never);
  const { segmenter } = await openSubject({
    spec: {
      name: 'unet',
      model: {
        plugin: unet as never,
        options: resolveOptions(unet, { width: 1 / 16, depth: 2, dropout: 0 }),
      },
      ...{ defenses: [], weights: null, weightsFrom: null, tile: null },
      training: { ...training, epochs: 12, batch: 8, rotation: 0 },
    },
    ...{ dataset, engine: await engineOf(), seed: 0, dir: temporaryFolder(), startDir: null, ctx, hooks },
  });
  return segmenter;
}

const failed = async (segmenter: Segmenter) => named(await audit({ ctx, dataset, segmenter }), 'fail');

describe('the default audit', () => {
  let ordinary: AuditResult[];

  it('passes an ordinary U-Net, and says on how many images it looked', async () => {
    ordinary = await audit({ ctx, dataset, segmenter: model });
    expect(ordinary.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(ordinary.map(({ check }) => check)).toEqual(
      checks.filter(({ level }) => level === 'quick').map(({ name }) => name),
    );
    for (const { numbers } of ordinary) expect(numbers['images']).toBeGreaterThan(0);
  });

  it('gives the same numbers again, in batches of another size too', async () => {
    expect(await audit({ ctx, dataset, segmenter: model, batch: 3 })).toEqual(ordinary);
  });

  it('catches a gradient killer by its gradient of zero', async () => {
    expect(await failed(gradientKiller(ctx.tf, model))).toContain('zero-gradient');
  });

  it('catches an input quantiser by its gradient of zero', async () => {
    expect(await failed(inputQuantiser(ctx.tf, model))).toContain('zero-gradient');
  });

  it('catches a quantiser with a straight-through gradient by finite differences', async () => {
    const found = await failed(inputQuantiser(ctx.tf, model, { straightThrough: true }));
    expect(found).toContain('finite-difference');
    expect(found).not.toContain('zero-gradient');
  });

  it('catches a noise adder by its forward passes', async () => {
    expect(await failed(noiseAdder(ctx.tf, model))).toContain('determinism');
  });

  it('catches a model that is only a prior by that prior', async () => {
    const canary = await priorOnly(ctx.tf, dataset);
    expect(await failed(canary)).toContain('prior-floor');
    canary.dispose();
  });

  it('catches a constant model by the prior', async () => {
    const canary = constantModel(ctx.tf, dataset.channels);
    expect(await failed(canary)).toEqual(expect.arrayContaining(['zero-gradient', 'prior-floor']));
    canary.dispose();
  });
});
