import type { Cost } from '../vocabulary.ts';

export const noCost: Cost = { gradients: 0, forwards: 0, seconds: 0 };

export function addCosts(a: Cost, b: Cost): Cost {
  return {
    gradients: a.gradients + b.gradients,
    forwards: a.forwards + b.forwards,
    seconds: a.seconds + b.seconds,
  };
}
