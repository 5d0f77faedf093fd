import type { Scalar, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { clipToBall, clipToRange, type AttackRequest, type Context } from '../../../core/index.ts';
import { noisy } from './noise.ts';
import { worstOf } from './worst.ts';

/** Options of projected gradient ascent. */
export const projectedOptions = {
  steps: { description: 'Gradient steps of one run.', type: 'integer', minimum: 1, default: 20 },
  stepSize: {
    description: 'Step length in intensity units; null takes 2.5 eps / steps.',
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: null,
  },
  randomStart: {
    description: 'Start anywhere in the ball instead of at the image.',
    type: 'boolean',
    default: true,
  },
  restarts: {
    description: 'Runs, each from a random start of its own; of each image the worst one counts.',
    type: 'integer',
    minimum: 1,
    default: 1,
  },
} as const;

interface ProjectedOptions {
  readonly steps: number;
  readonly stepSize: number | null;
  readonly randomStart: boolean;
  readonly restarts: number;
}

type Given = [truth: Tensor3D, done: Scalar];
type Loss = (logits: Tensor4D, ...given: Given) => Scalar;

/**
 * Projected gradient ascent: x(t) = clip(x(t-1) + stepSize sign(gradient of loss)), restarted, the last iterate of each
 * run.
 *
 * @param name of the attack, part of the key of its random numbers
 * @param loss of logits, true classes and the part of the steps that is done, from 0 up to but without 1, summed over
 *   images; it may use nothing else
 * @see Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018
 */
export function projectedAscent(
  name: string,
  request: AttackRequest,
  options: ProjectedOptions,
  ctx: Context,
  loss: Loss,
): Tensor4D {
  const { x } = request;
  return worstOf(options.restarts, request, ctx, (restart) => {
    const uniform = () => noisy(request, ctx, [name, restart], (random) => 2 * random.uniform() - 1);
    return ascend(options.randomStart ? uniform() : x.clone(), request, options, ctx, loss);
  });
}

function ascend(
  start: Tensor4D,
  { model, x, truth, budget: { eps } }: AttackRequest,
  { steps, stepSize }: ProjectedOptions,
  { tf, signal }: Context,
  loss: Loss,
): Tensor4D {
  const length = stepSize ?? (2.5 * eps) / steps;
  let at = start;
  for (let step = 1; step <= steps; step++) {
    signal.throwIfAborted();
    const next = tf.tidy(() => {
      const inputs = [truth, tf.scalar((step - 1) / steps)];
      const gradient = model.gradient(
        at,
        (logits, ...given) => loss(logits, ...(given as Given)),
        'loss',
        inputs,
      );
      const moved: Tensor4D = tf.add(at, tf.mul(tf.sign(gradient), length));
      return clipToBall(clipToRange(moved, model.domain), x, eps);
    });
    at.dispose();
    at = next;
  }
  return at;
}
