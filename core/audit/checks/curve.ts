import type { AttackSpec } from '../../plan/spec.ts';
import { Bootstrap } from '../../statistics/bootstrap.ts';
import type { Finding } from '../check.ts';
import { mean, overlap } from '../scores.ts';
import type { SubjectAudit } from '../subject.ts';
import { show } from './budget.ts';

/** A rise of one image's score that is counted. */
const RISE = 0.01;

/**
 * The score never rises with eps by more than chance explains, over all images of the run: an attacker with a larger
 * ball can do all that one with a smaller ball can (ART#687).
 */
export function monotone(audit: SubjectAudit, attack: AttackSpec): Finding {
  const bootstrap = new Bootstrap(() => audit.ctx.random('interval'));
  const cell = (eps: number) =>
    audit.rowsOf(eps === 0 ? 'clean' : attack.label).filter((row) => row.eps === eps);
  const levels = [0, ...audit.levels(attack)];
  const steps = levels.slice(1).map((eps, k) => {
    const before = new Map(cell(levels[k]!).map((row) => [row.sample, overlap(row.confusion)]));
    const changes = cell(eps).map(({ sample, group, confusion }) => ({
      value: overlap(confusion) - before.get(sample)!,
      group,
    }));
    const values = changes.map(({ value }) => value);
    return {
      eps,
      rise: mean(values),
      low: bootstrap.mean(changes).low ?? 0,
      images: values.filter((value) => value > RISE).length,
    };
  });
  const steepest = steps.reduce((a, b) => (b.low > a.low ? b : a));
  const { rise, low, eps } = steepest;
  const images = steps.reduce((sum, step) => sum + step.images, 0);
  return {
    verdict: low > 0.02 ? 'fail' : low > 0 && rise > 0.002 ? 'warn' : 'pass',
    numbers: { images: cell(0).length, eps, rise, low, risingImages: images },
    message:
      low > 0
        ? `Towards eps ${eps} the score rises by ${show(rise)}, at least ${show(low)} beyond chance.`
        : `The score rises nowhere beyond chance; single images do ${images} times in ${steps.length} steps of eps.`,
  };
}
