import { nameClasses, RobustError, type ClassNames } from '../../../core/index.ts';

/**
 * The classes that a person named by mask value.
 *
 * @throws RobustError CONFIG_INVALID for a key that is no mask value.
 */
export function namedClasses(
  names: Readonly<Record<string, string>>,
  ignore: string | number | null,
): ClassNames {
  const strange = Object.keys(names).find((value) => !/^(\d+|#[0-9a-f]{6})$/i.test(value));
  if (strange === undefined) return nameClasses(names, ignore === null ? null : String(ignore));
  throw new RobustError('CONFIG_INVALID', {
    message: 'A class is named for something that is no mask value.',
    where: 'dataset.classes',
    expected: "grey levels such as 2, or colours such as '#ff0080'",
    received: `'${strange}'`,
    next: 'write { value: name }, such as { 1: lung, 2: heart }',
  });
}
