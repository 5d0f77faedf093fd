import { Ajv, type ValidateFunction } from 'ajv';
import { invalid, problemsOf } from '../config/problems.ts';
import { copy, deepFreeze, type Tree } from '../config/tree.ts';
import type { OptionsOf, OptionsSchema } from '../plugin.ts';

/** The part of a plugin that options need. */
interface Described {
  readonly name: string;
  readonly options: OptionsSchema;
}

const ajv = new Ajv({
  strict: true,
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  useDefaults: true,
});
const validators = new WeakMap<Described, ValidateFunction>();

/** A plugin's options as a JSON Schema: nothing beside them, and those without a default must be given. */
export function optionsSchema({ options }: Described): Tree {
  const entries = Object.entries(options);
  const required = entries.filter(([, option]) => option.default === undefined).map(([name]) => name);
  return { type: 'object', properties: { ...options }, required, additionalProperties: false };
}

/**
 * The options of a plugin as its functions receive them: checked, with defaults filled in, frozen.
 *
 * @param path where the options stand in the configuration, such as `attacks.0`
 * @throws CONFIG_INVALID with everything that is wrong.
 */
export function resolveOptions<S extends OptionsSchema>(
  plugin: { readonly name: string; readonly options: S },
  given: Tree = {},
  path: string = plugin.name,
  origins: Readonly<Record<string, string>> = {},
): OptionsOf<S> {
  const validate = validatorOf(plugin);
  const options = copy(given) as Tree;
  if (!validate(options)) throw invalid(problemsOf(validate.errors ?? [], path), (place) => origins[place]);
  return deepFreeze(options) as OptionsOf<S>;
}

function validatorOf(plugin: Described): ValidateFunction {
  const known = validators.get(plugin);
  if (known) return known;
  const made = ajv.compile(optionsSchema(plugin));
  validators.set(plugin, made);
  return made;
}
