import { expect } from 'vitest';
import { compare, type Comparable, type Tolerance } from './close.ts';

declare module 'vitest' {
  // The type parameter must be there for the interfaces to merge.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface Matchers<T> {
    /** Agrees in shape, type and value with what is expected; exactly unless a tolerance is given. */
    toBeAllClose(expected: Comparable, tolerance?: Tolerance): void;
  }
}

expect.extend({
  toBeAllClose(received: Comparable, expected: Comparable, tolerance?: Tolerance) {
    const { pass, message } = compare(received, expected, tolerance);
    return { pass, message: () => message };
  },
});
