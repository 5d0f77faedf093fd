import type { AttackSpec } from '../../plan/spec.ts';
import { decode, MAX_PIXELS } from '../../images/decode.ts';
import { encodePng } from '../../images/encode.ts';
import type { IntensityDomain } from '../../vocabulary.ts';
import { graded, notRun, type Finding } from '../check.ts';
import { largest, largestDifference, mean, share } from '../scores.ts';
import type { SubjectAudit } from '../subject.ts';

/** Where the checks look closely: the smallest intensity of at least one grey level, or else the largest. */
export function probeLevel(audit: SubjectAudit, attack: AttackSpec): number {
  const levels = audit.levels(attack);
  return levels.find((eps) => eps >= audit.dataset.domain.step) ?? levels.at(-1)!;
}

/** Nothing may happen at eps 0, where libraries have been seen to perturb (Harry24k/adversarial-attacks-pytorch#172). */
export async function zeroEps(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const { images } = await audit.attacked(attack, 0);
  const change = largest(images.map((image, i) => largestDifference(image, audit.clean[i]!)));
  const rows = audit.rowsOf(attack.label).filter(({ eps }) => eps === 0);
  const clean = new Map(audit.rowsOf('clean').map((row) => [row.sample, JSON.stringify(row.confusion)]));
  const moved = rows.filter(({ sample, confusion }) => clean.get(sample) !== JSON.stringify(confusion));
  return {
    verdict: change === 0 && moved.length === 0 ? 'pass' : 'fail',
    numbers: { images: images.length, largestChange: change, changedScores: moved.length },
    message:
      change === 0
        ? 'At eps 0 every image comes back bit for bit.'
        : `At eps 0 pixels change by up to ${change}.`,
  };
}

/** max|x' - x| <= eps, and x' stays in the range; exact on whole grey levels (bethgelab/foolbox#531, ART#90). */
export async function budgetHeld(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const { low, high } = audit.dataset.domain;
  const rows = audit.rowsOf(attack.label);
  const excess = largest(rows.map(({ linf, eps }) => linf - eps));
  const { images } = await audit.attacked(attack, probeLevel(audit, attack));
  const outside = share(images, (image) => !image.every((value) => value >= low && value <= high));
  // Rounding of x + eps in float32, as core's own verification allows it.
  const slack = Math.max(Math.abs(low), Math.abs(high)) * 2 ** -23;
  return {
    verdict: excess <= slack && outside === 0 ? 'pass' : 'fail',
    numbers: { images: rows.length, excess, outsideRange: outside },
    message:
      excess <= slack
        ? `None of ${rows.length} adversarial images is further from its image than eps.`
        : `An adversarial image is ${excess} further from its image than eps.`,
  };
}

/** An attack that stays well inside its ball gives away strength (bethgelab/foolbox#531): 0.9 eps is expected. */
export async function budgetUsed(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const rows = audit.rowsOf(attack.label).filter(({ eps }) => eps > 0);
  const used = mean(rows.map(({ linf, eps }) => linf / eps));
  const least = Math.min(...audit.levels(attack).map((level) => meanUse(rows, level)));
  const eps = probeLevel(audit, attack);
  const { images } = await audit.attacked(attack, eps);
  const atBound = mean(
    images.map((image, i) =>
      share([...image], (value, p) => Math.abs(value - audit.clean[i]![p]!) >= 0.99 * eps),
    ),
  );
  const verdict = least >= 0.9 && atBound > 0 ? 'pass' : least > 0 ? 'warn' : 'fail';
  return {
    verdict,
    numbers: { images: rows.length, used, leastUsed: least, pixelsAtBound: atBound },
    message: `Of eps ${percent(used)} is used on average, and ${percent(least)} at the intensity that uses least.`,
  };
}

function meanUse(rows: readonly { linf: number; eps: number }[], level: number): number {
  return mean(rows.filter(({ eps }) => eps === level).map(({ linf, eps }) => linf / eps));
}

/**
 * Rounding to grey levels and a PNG file must not undo the attack (bethgelab/foolbox#423): the score may move by 0.002.
 */
export async function survivesRounding(audit: SubjectAudit, attack: AttackSpec): Promise<Finding> {
  const { domain } = audit.dataset;
  const levels = (domain.high - domain.low) / domain.step;
  if (levels > 65535) return notRun(`Images of ${levels + 1} grey levels fit no PNG file.`);
  const eps = probeLevel(audit, attack);
  const { images } = await audit.attacked(attack, eps);
  const stored = await Promise.all(
    images.map((image) => throughPng(image, audit.samples[0]!.image.shape, domain)),
  );
  const before = await audit.scores(images);
  const after = await audit.scores(stored);
  const moved = Math.abs(mean(after) - mean(before));
  return {
    verdict: graded(moved, { warn: 0.002, fail: 0.02 }),
    numbers: { images: images.length, eps, before: mean(before), after: mean(after) },
    message: `At eps ${eps} the score is ${show(mean(before))}, and ${show(mean(after))} after a trip through PNG.`,
  };
}

/** The image as a PNG file holds it; PNG has one or three channels, others are only rounded. */
async function throughPng(
  data: Float32Array,
  shape: readonly [number, number, number],
  { low, high, step }: IntensityDomain,
): Promise<Float32Array> {
  const whole = data.map((value) => Math.round((Math.min(Math.max(value, low), high) - low) / step));
  const channels = shape[2];
  if (channels !== 1 && channels !== 3) return whole.map((value) => low + step * value);
  const bytes = await encodePng({ shape, data: whole });
  const raster = await decode({ path: 'adversarial.png', bytes }, MAX_PIXELS);
  return data.map((_, i) => low + step * raster.data[channels === 1 ? 3 * i : i]!);
}

export const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
export const show = (value: number) => value.toFixed(3);
