import { graded, type Finding } from '../check.ts';
import { largest, largestDifference, share } from '../scores.ts';
import type { SubjectAudit } from '../subject.ts';
import { percent, probeLevel } from './budget.ts';

const PASSES = 5;

/** Five forward passes of one batch are equal, bit for bit; a random model needs averaged gradients (AutoAttack). */
export async function deterministic(audit: SubjectAudit): Promise<Finding> {
  const first = await audit.logits(audit.clean);
  let most = 0;
  for (let pass = 1; pass < PASSES; pass++) {
    const again = await audit.logits(audit.clean);
    most = largest([most, ...again.map((logits, i) => largestDifference(logits, first[i]!))]);
  }
  return {
    verdict: most === 0 ? 'pass' : 'fail',
    numbers: { images: first.length, passes: PASSES, largestDifference: most },
    message:
      most === 0
        ? `${PASSES} forward passes give the same bits.`
        : `Logits of the same image differ by up to ${most.toPrecision(3)}.`,
  };
}

/**
 * The outputs are logits: values in [0, 1] that sum to 1 are probabilities, whose cross-entropy has nearly no gradient
 * (AutoAttack's checks; cleverhans#744). For one sigmoid logit, a value in [0, 1] everywhere is enough.
 */
export async function areLogits(audit: SubjectAudit): Promise<Finding> {
  const { channels } = audit;
  const all = await audit.logits(audit.clean);
  const probabilities = all.every(
    (logits) =>
      logits.every((value) => value >= 0 && value <= 1) && (channels === 1 || sumToOne(logits, channels)),
  );
  const [low, high] = all.reduce(
    ([least, most], logits) => [
      logits.reduce((a, b) => Math.min(a, b), least),
      logits.reduce((a, b) => Math.max(a, b), most),
    ],
    [Infinity, -Infinity],
  );
  return {
    verdict: probabilities ? 'fail' : 'pass',
    numbers: { images: all.length, least: low, largest: high },
    message: `The outputs range from ${low.toPrecision(3)} to ${high.toPrecision(3)}${probabilities ? ' and sum to 1' : ''}.`,
  };
}

function sumToOne(values: Float32Array, channels: number): boolean {
  for (let pixel = 0; pixel < values.length; pixel += channels) {
    let sum = 0;
    for (let k = 0; k < channels; k++) sum += values[pixel + k]!;
    if (Math.abs(sum - 1) > 1e-4) return false;
  }
  return true;
}

/** Images whose companions are exchanged: each costs a batch. */
const LONE_IMAGES = 2;

/**
 * What is said about an image depends neither on its companions (a batch norm in training mode: TRADES#3) nor, but for
 * rounding, on the size of the batch. Relative to the largest logit, 1e-3 still counts as rounding.
 */
export async function batchInvariant(audit: SubjectAudit): Promise<Finding> {
  const together = await audit.logits(audit.clean);
  const lone = audit.clean.slice(0, LONE_IMAGES);
  let [companions, size] = [0, 0];
  for (const [i, image] of lone.entries()) {
    const scale = Math.max(largestDifference(together[i]!, new Float32Array(together[i]!.length)), 1e-6);
    const [copied] = await audit.logits([image]);
    const [alone] = await audit.logits([image], 1);
    companions = Math.max(companions, largestDifference(copied!, together[i]!) / scale);
    size = Math.max(size, largestDifference(alone!, together[i]!) / scale);
  }
  return {
    verdict: graded(Math.max(companions, size), { warn: 1e-3, fail: 1e-2 }),
    numbers: { images: lone.length, companions, batchSize: size },
    message: `Other companions change logits by ${percent(companions)} of the largest, a batch of one by ${percent(size)}.`,
  };
}

/**
 * Attacks leave the model as it was: predictions after them equal those before, so that no running statistics and no
 * dropout were at work (Harry24k/adversarial-attacks-pytorch#164).
 */
export async function unchangedByAttack(audit: SubjectAudit): Promise<Finding> {
  const before = await audit.logits(audit.clean);
  for (const attack of audit.attacks) await audit.attacked(attack, probeLevel(audit, attack));
  const after = await audit.logits(audit.clean);
  const changed = share(after, (logits, i) => largestDifference(logits, before[i]!) !== 0);
  const rows = audit.rowsOf('clean');
  const rescored = share(after, (logits, i) => {
    const sample = audit.samples[i]!;
    const row = rows.find((one) => one.sample === sample.id);
    return (
      row !== undefined && JSON.stringify(row.confusion) !== JSON.stringify(audit.counts(logits, sample))
    );
  });
  return {
    verdict: changed === 0 && rescored === 0 ? 'pass' : 'fail',
    numbers: { images: after.length, changed, rescored },
    message:
      changed === 0 && rescored === 0
        ? 'The model predicts after all attacks what it predicted before.'
        : `The model changed its logits on ${percent(changed)} and its score on ${percent(rescored)} of the images.`,
  };
}
