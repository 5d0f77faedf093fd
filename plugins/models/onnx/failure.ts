import { invalid } from '../foreign/failure.ts';

export { invalid, unsupported } from '../foreign/failure.ts';

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
