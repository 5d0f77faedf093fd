import type { Tensor } from '@tensorflow/tfjs-core';
import type { SweepRequest } from './request.ts';
import { RobustError, type ErrorCode, type ErrorParts } from '../errors/index.ts';

/**
 * Throws for the images whose value is NaN or infinite. Sums of absolute values tell before `clip` or `sign` turn NaN
 * into an ordinary number, which they do on some backends.
 *
 * @param sums `[N]`, one value per image, padding included.
 * @param ids Samples of the images before the padding.
 */
export async function requireFinite(
  sums: Tensor,
  ids: readonly string[],
  code: ErrorCode,
  parts: Pick<ErrorParts, 'message' | 'expected' | 'next'>,
): Promise<void> {
  const values = await sums.data();
  const bad = ids.filter((_, image) => !Number.isFinite(values[image]));
  if (bad.length === 0) return;
  throw new RobustError(code, {
    ...parts,
    where: `sample ${bad.slice(0, 3).join(', ')}`,
    received: `${bad.length} of ${ids.length} images of this batch without`,
  });
}

/** Throws for images whose gradients were NaN or infinite, from their summed absolute values `[N]`. */
export function checkGradients(health: Tensor, { ids, count, plugin }: SweepRequest): Promise<void> {
  return requireFinite(health, ids.slice(0, count), 'GRADIENT_NOT_FINITE', {
    message: `The gradient of '${plugin.name}' holds NaN or infinity.`,
    expected: 'finite gradients on every image',
    next: 'look for a division by zero, a logarithm or a square root of zero in the model or the loss',
  });
}
