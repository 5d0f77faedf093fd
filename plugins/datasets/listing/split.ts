import { createHash } from 'node:crypto';

/** What decides the split of an image. */
interface Item {
  readonly id: string;
  readonly group?: string;
  readonly split?: 'train' | 'test';
}

/**
 * What names its split stays there; the others are split by group, so that adding files moves none.
 *
 * @param testFraction share of the groups that is test
 */
export function splitItems<T extends Item>(
  items: readonly T[],
  testFraction: number,
): Record<'train' | 'test', Omit<T, 'split'>[]> {
  const isTest = ({ split, group, id }: Item) =>
    split === undefined ? position(group ?? id) < testFraction : split === 'test';
  const of = (test: boolean) =>
    items.filter((item) => isTest(item) === test).map(({ split: _, ...item }) => item);
  return { train: of(false), test: of(true) };
}

/** A number in [0, 1) that depends on the text alone. */
function position(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
