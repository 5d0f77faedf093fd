import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { AttackRequest } from '../plugin.ts';
import { RobustError } from '../errors/index.ts';
import { clipToBall, clipToRange } from './box.ts';
import { checkGradients, requireFinite } from './finite.ts';
import type { Adversarial, SweepRequest } from './request.ts';
import { walk } from './walk.ts';

/** What an attack plugin contributes to its hook: adversarial images for each budget, inside ball and range. */
export async function* attackBatch(request: SweepRequest): AsyncGenerator<Adversarial> {
  const { plugin, budgets, x } = request;
  for (const budget of budgets.filter(({ eps }) => eps === 0)) yield { budget, x: x.clone(), gradients: 0 };
  const positive = { ...request, budgets: budgets.filter(({ eps }) => eps > 0) };
  if (plugin.iteration) yield* walk(plugin.iteration, positive);
  else yield* perturbEach(positive);
}

async function* perturbEach(request: SweepRequest): AsyncGenerator<Adversarial> {
  const { plugin, options, model, ctx, budgets, x, truth, goal, ids } = request;
  for (const budget of budgets) {
    ctx.signal.throwIfAborted();
    const before = model.gradients;
    model.compile = (key, step) => request.compile(JSON.stringify([plugin.name, options, key]), step);
    const asked: AttackRequest = { model, x, truth, goal, ids, budget };
    const proposed = await plugin.perturb!(asked, options, ctx);
    const health = model.takeHealth();
    if (health) await checkGradients(health, request).finally(() => health.dispose());
    checkShape(proposed.shape, request);
    await checkFinite(proposed, request);
    const clipped = tf.tidy(() => clipToBall(clipToRange(proposed, model.domain), x, budget.eps));
    if (proposed !== x) proposed.dispose();
    yield { budget, x: clipped, gradients: (model.gradients - before) / model.images };
  }
}

function checkShape(shape: readonly number[], { plugin, x }: SweepRequest): void {
  if (tf.util.arraysEqual([...shape], x.shape)) return;
  throw new RobustError('ATTACK_SHAPE', {
    message: `The attack '${plugin.name}' returned images of another shape than it was given.`,
    where: plugin.name,
    expected: `[${x.shape.join(', ')}]`,
    received: `[${shape.join(', ')}]`,
    next: 'return one adversarial image for each image of the request, padding included',
  });
}

async function checkFinite(proposed: Tensor4D, { plugin, ids, count }: SweepRequest): Promise<void> {
  const sums = tf.tidy(() => tf.sum(tf.abs(proposed), [1, 2, 3]));
  await requireFinite(sums, ids.slice(0, count), 'ATTACK_NOT_FINITE', {
    message: `The attack '${plugin.name}' returned NaN or infinite intensities.`,
    expected: 'finite intensities',
    next: 'look for a division by zero in the attack; a gradient can be zero everywhere',
  });
  sums.dispose();
}
