import { RobustError, type ErrorParts } from '../../../core/index.ts';

/** A file that is damaged, contradicts itself, or asks for what cannot be. */
export function invalid(message: string, parts: Omit<ErrorParts, 'message'> = {}): RobustError {
  return new RobustError('MODEL_FILE_INVALID', { message, next: 'export the model again', ...parts });
}

/** Something correct that is not computed here. */
export function unsupported(message: string, parts: Omit<ErrorParts, 'message'> = {}): RobustError {
  return new RobustError('MODEL_UNSUPPORTED', { message, ...parts });
}

/** No tensor may have more elements (2 GiB of float32): a wrong size must fail before it takes the machine down. */
const LARGEST = 2 ** 29;

/** A shape that is safe to compute with. */
export function checkedShape(shape: readonly number[], where?: string): number[] {
  const elements = shape.reduce((product, side) => product * side, 1);
  const whole = shape.every((side) => Number.isInteger(side) && side >= 0);
  if (whole && elements <= LARGEST) return [...shape];
  throw invalid(
    whole ? 'A tensor would be larger than anything sensible.' : 'A size is not a whole number.',
    {
      ...(where === undefined ? {} : { where }),
      expected: `sizes of 0 or more, at most ${LARGEST} elements in all`,
      received: `[${shape.join(', ')}]`,
      next: 'check the sizes in the model, and the size of the images',
    },
  );
}
