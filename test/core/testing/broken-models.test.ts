import type { Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  crossEntropy,
  defineAttack,
  defineDefense,
  defineIterativeAttack,
  defineModel,
  defineNetwork,
  inverseMask,
  layers,
  type AttackPlugin,
  type DefensePlugin,
  type TensorFlow,
} from '../../../core/index.ts';
import {
  attackChecks,
  curvedSegmenter,
  defenseChecks,
  modelChecks,
  toyNetwork,
} from '../../../core/testing/index.ts';
import { basics, failing } from './failing.ts';

describe('attacks', () => {
  type Perturb = NonNullable<AttackPlugin['perturb']>;
  const checks = (perturb: Perturb, changes: Partial<AttackPlugin> = {}) =>
    failing(attackChecks(defineAttack({ ...basics, name: 'broken', norm: 'linf', perturb, ...changes })));
  /** One step along the sign of the gradient: up the loss of the truth, as an attack should. */
  const honest =
    (scale = 1): Perturb =>
    ({ model, x, truth, budget }, _, { tf }) =>
      tf.tidy(() => {
        const gradient = model.gradient(x, (logits) => crossEntropy(logits, truth));
        return tf.add(x, tf.mul(tf.sign(gradient), scale * budget.eps));
      });

  it('pass when they are as they should be', async () => {
    expect(await checks(honest())).toEqual([]);
  });

  it('fail when they leave the ball', async () => {
    expect(await checks(honest(2))).toEqual(['proposes nothing outside the ball for core to cut off']);
  });

  it('fail when they return NaN or another shape', async () => {
    const nan = await checks(({ x }, _, { tf }) => tf.fill(x.shape, NaN));
    expect(nan).toContain('stays finite, in the ball and in the range at every eps');
    const smaller = await checks(({ x }, _, { tf }) => tf.slice(x, 0, 1));
    expect(smaller).toContain('stays finite, in the ball and in the range at every eps');
  });

  it('fail when they walk the wrong way', async () => {
    expect(await checks(honest(-1))).toEqual(['gets nearer to what it wants, if it uses gradients']);
    const targeted = { goal: inverseMask as NonNullable<AttackPlugin['goal']> };
    // Raising the loss of the truth lowers that of the inverse mask only by chance of there being two classes.
    expect(await checks(honest(), targeted)).toEqual([]);
    expect(await checks(honest(-1), targeted)).toEqual([
      'gets nearer to what it wants, if it uses gradients',
    ]);
  });

  it('fail when they do nothing', async () => {
    expect(await checks(({ x }) => x)).toContain('changes images where it may');
  });

  it('fail when they draw from elsewhere than ctx.random', async () => {
    const failed = await checks(({ x, budget }, _, { tf }) =>
      tf.add(x, tf.randomUniform(x.shape, -budget.eps, budget.eps)),
    );
    expect(failed).toContain('gives the same bytes for the same seed');
  });

  it('fail when images of a batch influence each other', async () => {
    const byPlace = await checks(({ x, budget }, _, ctx) => {
      const { uniform } = ctx.random('one stream for the batch');
      const noise = Float32Array.from({ length: x.size }, () => (2 * uniform() - 1) * budget.eps);
      return ctx.tf.tidy(() => ctx.tf.add(x, ctx.tf.tensor(noise, x.shape)));
    });
    expect(byPlace).toEqual(['gives the same bytes whatever the order and the companions of an image']);
    const byMean = await checks(({ x, budget }, _, { tf }) =>
      tf.tidy(() => tf.add(x, tf.mul(budget.eps, tf.sin(tf.mean(x))))),
    );
    expect(byMean).toContain('gives the same bytes whatever the order and the companions of an image');
  });

  it('fail when they leak, change their input, or make bad goals', async () => {
    const leaky = await checks((request, options, ctx) => {
      ctx.tf.scalar(1);
      return honest()(request, options, ctx);
    });
    expect(leaky).toEqual(['leaks no tensor']);
    const greedy = await checks((request, options, ctx) => {
      const result = honest()(request, options, ctx);
      request.truth.dispose();
      return result;
    });
    expect(greedy).toContain('changes neither the model nor what it was given');
    const goal: NonNullable<AttackPlugin['goal']> = (truth, _classes, _options, { tf }) => tf.add(truth, 1);
    expect(await checks(honest(), { goal })).toContain('asks for goal masks that fit the data');
  });

  it('fail when the steps make no sense, or budgets that share steps do not share a path', async () => {
    const iterative = (changes: object) =>
      defineIterativeAttack({
        ...basics,
        name: 'broken',
        norm: 'linf',
        steps: () => 3,
        stepSize: () => 1,
        loss: (logits, { goal }) => crossEntropy(logits, goal),
        goal: inverseMask,
        ...changes,
      });
    expect(await failing(attackChecks(iterative({})))).toEqual([]);
    expect(await failing(attackChecks(iterative({ steps: () => 2.5 })))).toContain(
      'plans whole numbers of steps of positive length',
    );
    const up = iterative({
      loss: (logits: Tensor4D, { truth }: { truth: Parameters<typeof crossEntropy>[1] }) =>
        crossEntropy(logits, truth),
    });
    expect(await failing(attackChecks(up))).toEqual(['gets nearer to what it wants, if it uses gradients']);
  });
});

describe('defenses', () => {
  const checks = (changes: Partial<DefensePlugin>) =>
    failing(defenseChecks(defineDefense({ ...basics, name: 'broken', ...changes })));

  it('fail when they defend nowhere', async () => {
    expect(await checks({})).toEqual(['defends somewhere']);
  });

  it('fail when they kill the gradient', async () => {
    const rounding = await checks({ input: (x, _domain, _options, { tf }) => tf.round(x) });
    expect(rounding).toEqual(['as input: passes a finite gradient that is not zero']);
    const constant = await checks({ output: (logits, _, { tf }) => tf.zerosLike(logits) });
    expect(constant).toContain('as output: passes a finite gradient that is not zero');
    const frozen = await checks({
      transform: ({ features }, _, { tf }) =>
        layers.connect(tf.layers.rescaling({ name: 'frozen', scale: 0 }), features),
    });
    expect(frozen).toEqual(['as architecture: stays differentiable']);
  });

  it('fail when they leave the range, change the shape or mix images', async () => {
    expect(await checks({ input: (x, _d, _o, { tf }) => tf.add(x, 1) })).toEqual([
      'keeps images inside the intensity range',
    ]);
    expect(await checks({ input: (x, _d, _o, { tf }) => tf.tile(x, [1, 1, 1, 2]) })).toContain(
      'as input: keeps shape and type, and gives finite values',
    );
    const mixing = await checks({ output: (logits, _, { tf }) => tf.add(logits, tf.mean(tf.abs(logits))) });
    expect(mixing).toEqual(['as output: does not let images of a batch influence each other']);
    const random = await checks({
      output: (logits, _, { tf }) => tf.add(logits, tf.randomNormal(logits.shape)),
    });
    expect(random).toContain('as output: gives the same for the same batch');
  });

  it('fail when an architecture defense changes shapes or touches no tap', async () => {
    const wider = await checks({
      transform: ({ features }, _, { tf }) =>
        layers.connect(tf.layers.concatenate({ name: 'wider' }), [features, features]),
    });
    expect(wider).toContain('as architecture: keeps the shape, and logits stay finite');
    expect(await checks({ transform: ({ features }) => features })).toContain(
      'as architecture: stays differentiable',
    );
  });

  it('fail when weights are drawn without the seed', async () => {
    const failed = await checks({
      transform: ({ features }, _, { tf }) =>
        layers.connect(tf.layers.conv2d({ name: 'wild', filters: 4, kernelSize: 1 }), features),
    });
    expect(failed).toEqual(['as architecture: draws its weights from the seed']);
  });
});

describe('models', () => {
  const small = { sizes: [{ height: 8, width: 6, channels: 1 }] };

  it('pass when they are as they should be', async () => {
    expect(await failing(modelChecks(toyNetwork(), small))).toEqual([]);
    const open = defineModel({
      ...basics,
      name: 'open',
      open: async ({ channels }, _, { tf }) => curvedSegmenter(tf, channels),
    });
    expect(await failing(modelChecks(open, small))).toEqual([]);
  });

  it('fail when a declared tap is not called', async () => {
    const { build } = toyNetwork([]);
    const network = defineNetwork({ ...basics, name: 'broken', taps: ['never'], build });
    expect(await failing(modelChecks(network, small))).toContain(
      'gives finite logits for every pixel (8 x 6 x 1)',
    );
  });

  it('fail when logits have the wrong size, or weights do not come from the seed', async () => {
    const shrinking = defineNetwork({
      ...basics,
      name: 'shrinking',
      taps: [],
      build: ({ image, classes }, _, { tf }) =>
        layers.connect(tf.layers.conv2d({ filters: classes.length, kernelSize: 3 }), image),
    });
    expect(await failing(modelChecks(shrinking, small))).toContain(
      'gives finite logits for every pixel (8 x 6 x 1)',
    );
    const wild = defineNetwork({
      ...basics,
      name: 'wild',
      taps: [],
      build: ({ image, classes }, _, { tf }) =>
        layers.connect(tf.layers.conv2d({ filters: classes.length, kernelSize: 1, name: 'wild' }), image),
    });
    expect(await failing(modelChecks(wild, small))).toContain(
      'has a fingerprint, the same when opened again (8 x 6 x 1)',
    );
  });

  it('fail when images influence each other, the gradient is zero, or tensors stay behind', async () => {
    const wrap = (change: (logits: Tensor4D, tf: TensorFlow) => Tensor4D) =>
      defineModel({
        ...basics,
        name: 'broken',
        open: async ({ channels }, _, { tf }) => {
          const inner = curvedSegmenter(tf, channels);
          return { ...inner, logits: (x) => tf.tidy(() => change(inner.logits(x), tf)) };
        },
      });
    const mixing = await failing(
      modelChecks(
        wrap((logits, tf) => tf.sub(logits, tf.mean(logits))),
        small,
      ),
    );
    expect(mixing).toContain('does not let images of a batch influence each other (8 x 6 x 1)');
    const rounding = await failing(
      modelChecks(
        wrap((logits, tf) => tf.round(logits)),
        small,
      ),
    );
    expect(rounding).toEqual(['has a finite input gradient that is not zero (8 x 6 x 1)']);
    const seeing = defineModel({
      ...basics,
      name: 'seeing',
      open: async ({ channels }, _, { tf }) => ({ ...curvedSegmenter(tf, channels), blind: true }),
    });
    expect(await failing(modelChecks(seeing, small))).toEqual([
      'has a finite input gradient that is not zero (8 x 6 x 1)',
    ]);
    const leaky = defineModel({
      ...basics,
      name: 'leaky',
      open: async ({ channels }, _, { tf }) => {
        const inner = curvedSegmenter(tf, channels);
        return { ...inner, logits: (x) => (tf.scalar(1), inner.logits(x)), dispose: () => undefined };
      },
    });
    const leaks = await failing(modelChecks(leaky, small));
    expect(leaks).toContain('leaks no tensor while it computes (8 x 6 x 1)');
    expect(leaks).toContain('leaks no tensor when it is disposed (8 x 6 x 1)');
  });
});
