import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { Random } from './vocabulary.ts';

/**
 * Random numbers of a run: `makeRandom(seed)(...key)` gives one independent stream per key, so that what is drawn
 * for a sample does not depend on which other samples were drawn before it.
 */
export function makeRandom(seed: number): (...key: readonly (string | number)[]) => Random {
  return (...key) => stream(JSON.stringify([seed, ...key]));
}

function stream(key: string): Random {
  const digest = createHash('sha256').update(key).digest();
  const words = [0, 4, 8, 12].map((at) => digest.readInt32LE(at));
  const generator = xoroshiro128plusFromState(words);
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    // Box-Muller; 1 - u keeps the logarithm finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    below: (n) => uniformInt(generator, 0, n - 1),
  };
}
