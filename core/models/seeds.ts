import type { Random } from '../vocabulary.ts';

/** An endless supply of seeds. TensorFlow.js takes a seed of 0 as no seed, so they start at 1. */
export function seeds(random: Random): () => number {
  return () => 1 + random.below(2 ** 31 - 2);
}
