import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { AttackSpec } from '../../plan/spec.ts';
import { graded, notRun, type Finding } from '../check.ts';
import { mean, share } from '../scores.ts';
import { variant, type SubjectAudit } from '../subject.ts';
import { percent, show } from './budget.ts';
import { floorOf } from './floor.ts';
import { losses } from './gradient.ts';

/** The mean score under the attack that was run, and under another one that should not reach further. */
interface Trial {
  readonly eps: number;
  readonly own: number;
  readonly other: number;
}

/** The trial in which the other attack is the furthest ahead, as a finding. */
export function outdone(
  trials: readonly Trial[],
  images: number,
  limits: { warn: number; fail: number },
  other: string,
): Finding {
  const worst = trials.reduce((a, b) => (b.own - b.other > a.own - a.other ? b : a));
  return {
    verdict: graded(worst.own - worst.other, limits),
    numbers: { images, eps: worst.eps, attack: worst.own, other: worst.other },
    message: `At eps ${worst.eps} the score is ${show(worst.own)} under the attack, and ${show(worst.other)} ${other}.`,
  };
}

const NO_STEPS = 'The attack does not tell its steps.';

/** Compares the attack with variants of it at some intensities. */
async function compare(
  audit: SubjectAudit,
  attack: AttackSpec,
  levels: readonly number[],
  others: readonly AttackSpec[],
): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const eps of levels) {
    const own = mean(await audit.damage(attack, eps));
    for (const other of others) trials.push({ eps, own, other: mean(await audit.damage(other, eps)) });
  }
  return trials;
}

/**
 * Many steps reach further than one of the whole length; where they do not, gradients are masked or steps broken
 * (Carlini et al. 2019; DEEPSEC#2).
 */
export async function beatsSingleStep(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  if (!attack.plugin.iteration) return notRun(NO_STEPS);
  const levels = audit.probes(attack).filter((eps) => eps >= audit.dataset.domain.step);
  if (levels.length === 0) return notRun('No eps is as large as a grey level.');
  const single = variant(attack, 'in one step', { steps: () => 1, stepSize: (eps) => eps });
  const trials = await compare(audit, attack, levels, [single]);
  return outdone(trials, audit.clean.length, { warn: 0.005, fail: 0.05 }, 'with one step of length eps');
}

/** Twice as many steps change little (Carlini et al. 2019). */
export async function converged(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const { iteration } = attack.plugin;
  if (!iteration) return notRun(NO_STEPS);
  const longer = variant(attack, 'twice as long', {
    steps: (eps, options) => 2 * iteration.steps(eps, options),
  });
  const trials = await compare(audit, attack, audit.probes(attack), [longer]);
  return outdone(trials, audit.clean.length, { warn: 0.005, fail: 0.1 }, 'after twice as many steps');
}

/** Softer logits open no way; where they do, sure pixels drown the others in the loss, or saturate it (Carlini et al. 2019). */
export async function scaleDoesNotMatter(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const { iteration } = attack.plugin;
  if (!iteration) return notRun(NO_STEPS);
  const softer = (divisor: number) =>
    variant(attack, `of logits / ${divisor}`, {
      loss: (logits: Tensor4D, ...rest) => iteration.loss(tf.div(logits, divisor), ...rest),
    });
  const trials = await compare(audit, attack, [audit.middle(attack)], [softer(10), softer(100)]);
  return outdone(trials, audit.clean.length, { warn: 0.005, fail: 0.05 }, 'with logits / 10 or / 100');
}

const QUARTERS = 4;

/**
 * The loss moves the attack's way on most images, never back in most quarters of its steps, and little in the last
 * (Indicators of Attack Failure, 2022).
 */
export async function lossImproves(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const stages = await stagesOf(audit, attack);
  if (!stages) return notRun(NO_STEPS);
  const goals = await audit.goals(attack);
  const sign = attack.plugin.goal ? -1 : 1;
  const values = [await losses(audit, audit.clean, goals)];
  for (const images of stages) values.push(await losses(audit, images, goals));
  const moves = values.slice(1).map((after, k) => after.map((loss, i) => sign * (loss - values[k]![i]!)));
  const kept = share(moves.flat(), (move) => move >= 0);
  const gained = audit.clean.map((_, i) => moves.reduce((sum, move) => sum + move[i]!, 0));
  const improved = share(gained, (gain) => gain > 0);
  const last = mean(moves.at(-1)!.map((move, i) => (gained[i]! > 0 ? Math.max(move, 0) / gained[i]! : 0)));
  return {
    verdict: improved < 0.5 ? 'fail' : kept < 0.9 || last > 0.25 ? 'warn' : 'pass',
    numbers: { images: gained.length, eps: audit.middle(attack), improved, kept, lastQuarter: last },
    message: `The loss improves on ${percent(improved)} of the images and holds in ${percent(kept)} of the quarters; the last brings ${percent(last)} of the gain.`,
  };
}

/** What counts is the last iterate; none before it reaches much further ("silent success", IoAF). */
export async function lastIsBest(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const stages = await stagesOf(audit, attack);
  if (!stages) return notRun(NO_STEPS);
  const scores: number[][] = [];
  for (const images of stages) scores.push(await audit.scores(images));
  const own = mean(scores.at(-1)!);
  const other = mean(audit.clean.map((_, i) => Math.min(...scores.map((one) => one[i]!))));
  const trial = { eps: audit.middle(attack), own, other };
  const limits = { warn: 0.005, fail: 0.05 };
  return outdone([trial], audit.clean.length, limits, 'if each image keeps its worst iterate');
}

/** The images after each quarter of the attack's steps, in the middle of its intensities. */
async function stagesOf(
  audit: SubjectAudit,
  attack: AttackSpec,
): Promise<(readonly Float32Array[])[] | undefined> {
  const { iteration } = attack.plugin;
  if (!iteration) return undefined;
  const eps = audit.middle(attack);
  const all = iteration.steps(eps, attack.options);
  const counts = Array.from({ length: QUARTERS }, (_, k) => Math.ceil((all * (k + 1)) / QUARTERS));
  const stages: (readonly Float32Array[])[] = [];
  for (const count of new Set(counts)) {
    const shorter = variant(attack, `after ${count} steps`, { steps: () => count });
    stages.push((await audit.attacked(count === all ? attack : shorter, eps)).images);
  }
  return stages;
}

const UNBOUNDED_STEPS = 50;

/** With the whole range to move in, nothing is left of the score that a fixed mask does not reach (Carlini et al. 2019). */
export async function unbounded(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const { low, high } = audit.dataset.domain;
  const eps = high - low;
  const long = attack.plugin.iteration
    ? variant(attack, 'without bound', {
        steps: () => UNBOUNDED_STEPS,
        stepSize: () => (2.5 * eps) / UNBOUNDED_STEPS,
      })
    : attack;
  const { images, gradients } = await audit.attacked(long, eps);
  if (gradients === 0) return notRun('The attack uses no gradient.');
  const score = mean(await audit.scores(images));
  const floor = await floorOf(audit);
  return {
    verdict: graded(score - floor, { warn: 0, fail: 0.1 }),
    numbers: { images: images.length, eps, score, floor },
    message: `With the whole range to move in the attack leaves a score of ${show(score)}; a fixed mask has ${show(floor)}.`,
  };
}
