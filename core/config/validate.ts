import { Ajv } from 'ajv';
import { isPlugin } from '../plugin.ts';
import { invalid, problemsOf } from './problems.ts';
import { schema } from './schema.ts';
import { mapLeaves } from './tree.ts';

const ajv = new Ajv({ strict: true, allErrors: true, verbose: true, allowUnionTypes: true });
const whole = ajv.compile(schema);
const part = ajv.compile({ ...schema, required: [] });

/**
 * Throws CONFIG_INVALID with everything that is wrong, unless the configuration fits its schema; where it is
 * `partial`, what a run needs may be absent.
 */
export function validateConfig(
  value: unknown,
  origins: Readonly<Record<string, string>>,
  partial = false,
): void {
  const validate = partial ? part : whole;
  // A plugin that was given itself stands where its name could stand.
  const named = mapLeaves(value, (leaf) => (isPlugin(leaf) ? leaf.name : leaf));
  if (!validate(named)) throw invalid(problemsOf(validate.errors ?? []), (path) => originOf(path, origins));
}

/** The origin of a value: its own, or that of the first leaf below it, or of the list that holds it. */
function originOf(path: string, origins: Readonly<Record<string, string>>): string | undefined {
  const below = Object.keys(origins).find((key) => key === path || key.startsWith(`${path}.`));
  if (below !== undefined) return origins[below];
  const list = path.replace(/\.\d+$/, '');
  return list === path ? undefined : origins[list];
}
