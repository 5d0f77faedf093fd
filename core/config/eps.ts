import { RobustError } from '../errors/index.ts';
import type { IntensityDomain } from '../vocabulary.ts';

/**
 * An attack intensity in intensity units. `8` and `'8'` are intensity units already; `'8/255'` is that fraction of the
 * range, so 8 on images of 0..255 and 8/255 on images of 0..1.
 *
 * @throws BUDGET_INVALID when it is negative, not a number, or larger than the range.
 */
export function parseEps(value: number | string, { low, high }: IntensityDomain): number {
  const range = high - low;
  const eps = typeof value === 'number' ? value : fromText(value, range);
  if (eps >= 0 && eps <= range) return eps;
  throw new RobustError('BUDGET_INVALID', {
    message: `${eps > range ? 'This eps is larger than the intensity range' : 'This is not an eps'}.`,
    where: 'eps',
    expected:
      `a number from 0 to ${range} in intensity units (the images lie in ${low}..${high}), ` +
      `or a fraction of the range such as '8/255'`,
    received: typeof value === 'string' ? `'${value}'` : String(value),
    ...(eps > range ? {} : { next: 'an eps is the largest change of a pixel: 0 is none' }),
  });
}

function fromText(text: string, range: number): number {
  const [, top, bottom] = /^\s*(\d*\.?\d+(?:e-?\d+)?)\s*(?:\/\s*(\d*\.?\d+)\s*)?$/i.exec(text) ?? [];
  if (top === undefined) return NaN;
  // Multiplied before it is divided: 8/255 of 255 is exactly 8.
  return bottom === undefined ? Number(top) : (Number(top) * range) / Number(bottom);
}
