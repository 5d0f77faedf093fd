import type { AttackSpec } from '../../plan/spec.ts';
import { crossEntropy, inverseMask } from '../../gradients/losses.ts';
import { graded, notRun, type Finding } from '../check.ts';
import { crossEntropySum, share } from '../scores.ts';
import { objectiveOf, type SubjectAudit } from '../subject.ts';
import { percent, probeLevel } from './budget.ts';

/**
 * A step of a targeted attack lowers the loss of its goal, of another raises the loss of the truth, on 95 % of the
 * images at a small eps: a sign error (equation 4 of the NLCEN paper, as printed, lacks the minus) does the opposite.
 */
export async function signTest(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const eps = probeLevel(audit, attack);
  const { images, gradients } = await audit.attacked(attack, eps);
  if (gradients === 0) return notRun('The attack uses no gradient.');
  const goals = await audit.goals(attack);
  const sign = attack.plugin.goal ? -1 : 1;
  const [before, after] = [await losses(audit, audit.clean, goals), await losses(audit, images, goals)];
  const helped = share(after, (loss, i) => sign * (loss - before[i]!) > 0);
  return {
    verdict: graded(1 - helped, { warn: 0.05, fail: 0.5 }),
    numbers: { images: images.length, eps, improved: helped },
    message: `At eps ${eps} the loss moves the way the attack wants on ${percent(helped)} of the images.`,
  };
}

/** Cross-entropy of each audited image with what a goal says, summed over pixels. */
export async function losses(
  audit: SubjectAudit,
  images: readonly Float32Array[],
  goals: readonly ArrayLike<number>[],
): Promise<number[]> {
  const logits = await audit.logits(images);
  return logits.map((one, i) => crossEntropySum(one, audit.channels, goals[i]!));
}

/**
 * Zero gradients give an attack nothing to follow, and a broken attack looks like a robust model (fra31/auto-attack#43;
 * ART's loss_gradient_check). More than 1 % of images or pixels without gradient warns, more than 10 % fails.
 */
export async function zeroGradient(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const gradients = await audit.gradient(
    audit.clean,
    objectiveOf(attack, audit, (logits, { goal }) => crossEntropy(logits, goal)),
  );
  const zeros = gradients.map((gradient) => zeroShare(gradient));
  const images = share(zeros, (zero) => zero === 1);
  const pixels = zeros.reduce((sum, zero) => sum + zero, 0) / zeros.length;
  return {
    verdict: graded(Math.max(images, pixels), { warn: 0.01, fail: 0.1 }),
    numbers: { images: gradients.length, zeroImages: images, zeroPixels: pixels },
    message: `The gradient is zero on ${percent(images)} of the images and in ${percent(pixels)} of the pixels.`,
  };
}

function zeroShare(values: Float32Array): number {
  let zeros = 0;
  for (const value of values) if (value === 0) zeros++;
  return zeros / values.length;
}

/** Random directions that the derivative is compared along. */
const DIRECTIONS = 5;

/**
 * Half the distance of the two points of a difference, as a part of the intensity range: 0.002 and 0.0005 grey levels of
 * 255. The wider, the more rectifiers switch between the points; the narrower, the more of the difference float32 rounds
 * away. Deep networks need the narrower, shallow ones the wider (measured); a wrong gradient agrees with neither.
 */
const HALF_STEPS = [2 ** -17, 2 ** -19];

/**
 * The gradient is that of the model: the derivative along five random directions agrees with central differences. It
 * finds gradients that are wrong, or right for another function than the one that is scored (straight-through
 * estimators, broken operators). The root mean square of the deviations is compared with that of the differences.
 */
export async function finiteDifference(audit: SubjectAudit): Promise<Finding> {
  const { dataset } = audit;
  const classes = dataset.classes.length;
  const points = audit.clean.map((image, i) => jittered(audit, image, i));
  const gradients = await audit.gradient(points, {
    key: 'inverse mask',
    loss: (logits, { goal }) => crossEntropy(logits, goal),
    goal: (truth) => inverseMask(truth, classes),
  });
  const probe = { points, gradients, goals: inverseGoals(audit) };
  let [deviation, size] = [0, 0];
  for (let d = 0; d < DIRECTIONS; d++) {
    const tried: Slopes[][] = [];
    for (const part of HALF_STEPS) tried.push(await slopes(audit, probe, d, part));
    points.forEach((_, i) => {
      const error = ({ difference, derivative }: Slopes) => (difference - derivative) ** 2;
      const closest = tried.map((image) => image[i]!).sort((one, other) => error(one) - error(other))[0]!;
      deviation += error(closest);
      size += Math.max(closest.difference ** 2, closest.derivative ** 2);
    });
  }
  if (size === 0) return notRun('The loss does not change along any direction.');
  const error = Math.sqrt(deviation / size);
  return {
    verdict: graded(error, { warn: 0.05, fail: 0.2 }),
    numbers: { images: points.length, directions: DIRECTIONS, relativeError: error },
    message: `Along ${DIRECTIONS} random directions the derivative and differences part by ${percent(error)}.`,
  };
}

/** Images, the gradients of their losses, and the masks that these compare with. */
interface Probe {
  readonly points: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
  readonly goals: readonly ArrayLike<number>[];
}

/** Change of the loss along a direction, per part of the intensity range: measured, and as the gradient tells it. */
interface Slopes {
  readonly difference: number;
  readonly derivative: number;
}

async function slopes(
  audit: SubjectAudit,
  { points, gradients, goals }: Probe,
  direction: number,
  part: number,
): Promise<Slopes[]> {
  const { low, high } = audit.dataset.domain;
  const h = part * (high - low);
  const ahead = points.map((image, i) => step(audit, image, i, direction, h));
  const behind = points.map((image, i) => step(audit, image, i, direction, -h));
  const [more, less] = [await losses(audit, ahead, goals), await losses(audit, behind, goals)];
  return gradients.map((gradient, i) => {
    const move = (p: number) => ahead[i]![p]! - behind[i]![p]!;
    const change = gradient.reduce((sum, slope, p) => sum + slope * move(p), 0);
    return { difference: (more[i]! - less[i]!) / part, derivative: change / part };
  });
}

/** The inverse of each audited mask; pixels of no class stay such. */
export function inverseGoals({ samples, dataset: { classes } }: SubjectAudit): Uint8Array[] {
  const last = classes.length - 1;
  return samples.map(({ mask }) => mask.data.map((k) => (k <= last ? last - k : k)));
}

/**
 * The image moved by up to half a grey level, and inwards at the ends of the range. On whole grey levels neighbours are
 * often equal: poolings have no derivative there, and any gradient would seem wrong.
 */
function jittered(audit: SubjectAudit, image: Float32Array, i: number): Float32Array {
  const { low, high, step: level } = audit.dataset.domain;
  const random = audit.ctx.random('audit', 'jitter', audit.samples[i]!.id);
  return image.map((value) => {
    const move = level * (random.uniform() - 0.5);
    return value + move < low || value + move > high ? value - move : value + move;
  });
}

/** One step in a random direction of +1 or -1 per value, inside the range, at whose ends a model may clip. */
function step(audit: SubjectAudit, image: Float32Array, i: number, d: number, h: number): Float32Array {
  const { low, high } = audit.dataset.domain;
  const random = audit.ctx.random('audit', 'direction', audit.samples[i]!.id, d);
  return image.map((value) => Math.min(high, Math.max(low, value + (random.uniform() < 0.5 ? -h : h))));
}
