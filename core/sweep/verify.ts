import { RobustError } from '../errors/index.ts';
import type { ErrorCode } from '../errors/index.ts';
import type { Candidate } from './request.ts';

/** Largest absolute change of each image, in intensity units. */
export function achievedNorms({
  clean,
  adversarial,
  ids,
}: Pick<Candidate, 'clean' | 'adversarial' | 'ids'>): number[] {
  const size = clean.length / ids.length;
  return ids.map((_, image) => {
    let norm = 0;
    for (let i = image * size; i < (image + 1) * size; i++) {
      const change = Math.abs(adversarial[i]! - clean[i]!);
      // Written so that NaN wins: Math.max would do, at a third of the speed.
      if (!(change <= norm)) norm = change;
      if (Number.isNaN(change)) return NaN;
    }
    return norm;
  });
}

/** Core's own check of what an attack made: finite, inside the range and inside the ball. */
export function verifyCandidate(candidate: Candidate): void {
  const { ids, adversarial, domain, budget } = candidate;
  const size = adversarial.length / ids.length;
  // Rounding of x + eps in float32; nothing is lost where images and eps are multiples of a power of two.
  const slack = Math.max(Math.abs(domain.low), Math.abs(domain.high)) * 2 ** -23;
  achievedNorms(candidate).forEach((norm, image) => {
    const pixels = adversarial.subarray(image * size, (image + 1) * size);
    const reject = (code: ErrorCode, message: string, expected: string, received: string) => {
      throw new RobustError(code, {
        message,
        where: `${candidate.cell}, sample ${ids[image]}`,
        expected,
        received,
        next: 'this is a defect of the attack plugin; its contract suite in robust/testing shows where',
      });
    };
    if (!pixels.every(Number.isFinite)) {
      reject(
        'ATTACK_NOT_FINITE',
        'An adversarial image is not finite.',
        'finite intensities',
        'NaN or infinity',
      );
    }
    if (!(norm <= budget.eps + slack)) {
      reject(
        'ATTACK_LEFT_BALL',
        'An adversarial image is too far from the clean one.',
        `at most ${budget.eps}`,
        `${norm}`,
      );
    }
    if (!pixels.every((value) => value >= domain.low && value <= domain.high)) {
      reject(
        'ATTACK_LEFT_RANGE',
        'An adversarial image leaves the intensity range.',
        `${domain.low} to ${domain.high}`,
        'values outside',
      );
    }
  });
}
