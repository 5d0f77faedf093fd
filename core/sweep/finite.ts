import type { Tensor } from '@tensorflow/tfjs-core';
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
