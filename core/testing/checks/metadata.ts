import assert from 'node:assert/strict';
import { RobustError } from '../../errors/index.ts';
import { isPlugin, kinds, type OptionSchema, type Plugin } from '../../plugin.ts';
import { resolveOptions } from '../../registry/index.ts';
import type { AnyOptions, Check, ContractSettings } from './check.ts';

/** What every plugin must tell about itself, whatever its kind. */
export function metadataChecks(plugin: Plugin, settings: ContractSettings = {}): Check[] {
  const check = (name: string, run: () => void): Check => ({ name, run });
  return [
    check('is made by a define... helper, and frozen', () => {
      assert(isPlugin(plugin) && kinds.includes(plugin.kind), 'not a plugin');
      assert(Object.isFrozen(plugin), 'the plugin can be changed');
    }),
    check('has a kebab-case name', () => assert.match(plugin.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)),
    check('has a summary of one sentence', () => oneSentence(plugin.summary)),
    check('describes every option, with a default or as required', () => describedOptions(plugin)),
    check('accepts its own defaults', () => acceptsDefaults(plugin, settings)),
    check('refuses unknown options', () => refusesUnknown(plugin, settings)),
    check('refuses required options that are not given', () => refusesMissing(plugin)),
    check('refuses options out of their range', () => refusesOutOfRange(plugin, settings)),
  ];
}

/** Options as the runner hands them over: checked, defaulted, frozen, so that whoever changes them throws. */
export function resolvedOptions(plugin: Plugin, given: ContractSettings['options'] = {}): AnyOptions {
  return resolveOptions(plugin, { ...given });
}

function oneSentence(summary: string): void {
  assert.match(summary, /^\S.*\.$/, 'a summary is one line that ends with a full stop');
  assert.doesNotMatch(summary, /[.!?]\s+\p{Lu}/u, 'a summary is one sentence');
  assert(summary.length <= 160, `a summary has at most 160 characters, not ${summary.length}`);
}

function describedOptions({ options }: Plugin): void {
  for (const [name, option] of Object.entries(options)) {
    assert.match(name, /^[a-z][a-zA-Z0-9]*$/, `option ${name}: names are camelCase`);
    assert.match(option.description, /^\S[^]*\.$/, `option ${name}: a description ends with a full stop`);
    assert(option.type !== undefined || option.enum !== undefined, `option ${name}: neither type nor enum`);
  }
}

/** Each default on its own and all together; a default that its own schema refuses would never be noticed. */
function acceptsDefaults(plugin: Plugin, { options }: ContractSettings): void {
  const resolved = resolvedOptions(plugin, options);
  for (const [name, option] of Object.entries(plugin.options)) {
    assert(name in resolved, `option ${name} has neither a default nor a value`);
    if (option.default === undefined) continue;
    resolvedOptions(plugin, { ...options, [name]: option.default });
  }
}

function refusesUnknown(plugin: Plugin, { options }: ContractSettings): void {
  invalid(
    () => resolvedOptions(plugin, { ...options, 'no-such-option': 1 }),
    'an unknown option was accepted',
  );
}

function refusesMissing(plugin: Plugin): void {
  const required = Object.values(plugin.options).some((option) => option.default === undefined);
  if (required) invalid(() => resolvedOptions(plugin), 'a missing option was accepted');
}

function refusesOutOfRange(plugin: Plugin, { options }: ContractSettings): void {
  for (const [name, option] of Object.entries(plugin.options)) {
    for (const value of outside(option)) {
      invalid(
        () => resolvedOptions(plugin, { ...options, [name]: value }),
        `option ${name} accepted ${String(value)}`,
      );
    }
  }
}

function outside({
  minimum,
  maximum,
  exclusiveMinimum,
  exclusiveMaximum,
  enum: listed,
}: OptionSchema): unknown[] {
  const candidates = [
    minimum === undefined ? [] : [minimum - 1],
    maximum === undefined ? [] : [maximum + 1],
    exclusiveMinimum === undefined ? [] : [exclusiveMinimum],
    exclusiveMaximum === undefined ? [] : [exclusiveMaximum],
    listed === undefined ? [] : ['no such value'],
  ];
  return candidates.flat();
}

function invalid(run: () => unknown, otherwise: string): void {
  assert.throws(run, (error) => error instanceof RobustError && error.code === 'CONFIG_INVALID', otherwise);
}
