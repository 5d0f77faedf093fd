import { RobustError } from '../../errors/index.ts';
import type { AttackSpec } from '../../plan/spec.ts';
import { graded, notRun, type Finding } from '../check.ts';
import { mean } from '../scores.ts';
import type { SubjectAudit } from '../subject.ts';
import { percent, show } from './budget.ts';
import { inverseGoals, losses } from './gradient.ts';
import { outdone } from './strength.ts';

const DRAWS = 10;

/**
 * Plus or minus eps at random hurts much less than the attack; if noise does as much, there is no local structure that
 * an attack could use, or it does not use it (Carlini et al. 2019).
 */
export async function beatsNoise(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const eps = audit.middle(attack);
  let worst = audit.clean.map(() => Infinity);
  for (let draw = 0; draw < DRAWS; draw++) {
    const scores = await audit.scores(shaken(audit, eps, draw));
    worst = worst.map((score, i) => Math.min(score, scores[i]!));
  }
  const [clean, own, noise] = [
    mean(await audit.scores(audit.clean)),
    mean(await audit.damage(attack, eps)),
    mean(worst),
  ];
  const alike = clean - own > 0.02 && clean - noise > 0.75 * (clean - own);
  return {
    verdict: noise < own - 0.005 ? 'fail' : alike ? 'warn' : 'pass',
    numbers: { images: audit.clean.length, eps, clean, attack: own, noise, draws: DRAWS },
    message: `At eps ${eps} the score falls from ${show(clean)} to ${show(own)} under the attack, and to ${show(noise)} under noise.`,
  };
}

const POINTS = 20;

/**
 * Around an image the loss is about what it is at the image: on a landscape that jumps, gradients lead nowhere
 * (Indicators of Attack Failure, 2022). Noise of 8/255 of the range, loss of the inverse mask.
 */
export async function smoothLoss(audit: SubjectAudit): Promise<Finding> {
  const { domain } = audit.dataset;
  const eps = (8 / 255) * (domain.high - domain.low);
  const goals = inverseGoals(audit);
  const before = await losses(audit, audit.clean, goals);
  let changes = 0;
  for (let point = 0; point < POINTS; point++) {
    const after = await losses(audit, shaken(audit, eps, point), goals);
    changes += mean(after.map((loss, i) => Math.abs(loss / before[i]! - 1)));
  }
  const change = changes / POINTS;
  return {
    verdict: graded(change, { warn: 0.25, fail: 1 }),
    numbers: { images: before.length, eps, points: POINTS, change },
    message: `Noise of ${eps} grey levels changes the loss by ${percent(change)} on average.`,
  };
}

/** The audited images with plus or minus eps in every value, inside the range. */
function shaken(
  { ctx, clean, samples, dataset: { domain } }: SubjectAudit,
  eps: number,
  draw: number,
): Float32Array[] {
  return clean.map((image, i) => {
    const random = ctx.random('audit', 'noise', samples[i]!.id, draw);
    return image.map((value) =>
      Math.min(domain.high, Math.max(domain.low, value + (random.uniform() < 0.5 ? -eps : eps))),
    );
  });
}

/** No attack that uses no gradient reaches further than those of the run (AutoAttack: 0.2 points). */
export function beatsBlackBox(audit: SubjectAudit): Promise<Finding> {
  return againstRivals(audit, (gradients) => gradients === 0, { warn: 0.002, fail: 0.02 });
}

/** No other attack that follows gradients, from many random starts, reaches further (Carlini et al. 2019). */
export function beatsRestarts(audit: SubjectAudit): Promise<Finding> {
  return againstRivals(audit, (gradients) => gradients > 0, { warn: 0.005, fail: 0.1 });
}

/** The worst of all attacks of the run against the worst of those that the audit brings, image by image. */
async function againstRivals(
  audit: SubjectAudit,
  chosen: (gradients: number) => boolean,
  limits: { warn: number; fail: number },
): Promise<Finding> {
  const [first] = audit.attacks;
  if (!first) return notRun('Nothing was attacked.');
  const eps = audit.middle(first);
  const names: string[] = [];
  const scores: number[][] = [];
  for (const rival of audit.rivals) {
    const made = await audit.attacked(rival, eps).catch(unlessMissing);
    if (!made || !chosen(made.gradients)) continue;
    names.push(rival.label);
    scores.push(await audit.scores(made.images));
  }
  if (names.length === 0) return notRun('`auditAttacks` names no such attack.');
  const own: number[][] = [];
  for (const attack of audit.attacks) own.push(await audit.damage(attack, eps));
  const trial = { eps, own: mean(worstOf(own)), other: mean(worstOf(scores)) };
  return outdone([trial], audit.clean.length, limits, `under ${names.join(' and ')}`);
}

/** A model without a gradient has no rivals that follow one. */
function unlessMissing(error: unknown): undefined {
  if (!(error instanceof RobustError && error.code === 'GRADIENT_MISSING')) throw error;
}

/** The smallest of several scores of each image. */
function worstOf(scores: readonly (readonly number[])[]): number[] {
  return scores[0]!.map((_, i) => Math.min(...scores.map((one) => one[i]!)));
}

/**
 * Images made for another subject hurt less than those made for this one; else its own gradients mislead (Athalye et al.
 * 2018). Subjects before this one in the configuration serve, an undefended twin best.
 */
export async function beatsTransfer(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const trials = [];
  for (const { label, eps, images } of audit.earlier) {
    if (label !== attack.label) continue;
    const [own, other] = [await audit.damage(attack, eps), await audit.scores(images)];
    trials.push({ eps, own: mean(own), other: mean(other) });
  }
  if (trials.length === 0) return notRun('No other subject was attacked before this one.');
  const limits = { warn: 0.005, fail: 0.05 };
  return outdone(trials, audit.clean.length, limits, 'on images made for another subject');
}
