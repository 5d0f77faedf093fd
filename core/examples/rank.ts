import type { MetricPlugin } from '../plugin.ts';
import type { Row } from '../vocabulary.ts';

/** How far the attack brought one image down, by the metric that ranks images. */
export interface Ranked {
  readonly sample: string;
  readonly damage: number;
}

/**
 * Loss of one image from its clean score to an attacked one, positive where the attack did harm; an image with an
 * undefined score ranks behind all others.
 */
export function damage(
  clean: Row,
  attacked: Row,
  { name, better }: Pick<MetricPlugin, 'name' | 'better'>,
): number {
  const [before, after] = [clean.values[name] ?? null, attacked.values[name] ?? null];
  if (before === null || after === null) return -Infinity;
  return better === 'higher' ? before - after : after - before;
}

/** The `count` most damaged ones. The order of equals is that of their ids, so that batches cannot matter. */
export function worst<T extends Ranked>(candidates: readonly T[], count: number): T[] {
  const before = (a: T, b: T) => (a.sample < b.sample ? -1 : 1);
  return candidates
    .toSorted((a, b) => (a.damage === b.damage ? before(a, b) : b.damage - a.damage))
    .slice(0, count);
}
