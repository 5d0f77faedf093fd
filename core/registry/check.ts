import { RobustError } from '../errors/index.ts';
import { isPlugin, type HookPlugin, type PluginOf } from '../plugin.ts';

/** What a reference may name: a plugin of some kind, or a hook plugin. */
interface AnyPluginOf extends PluginOf {
  hooks: HookPlugin;
}
export type AnyKind = keyof AnyPluginOf;
export type AnyPlugin<K extends AnyKind> = AnyPluginOf[K];

/** The value itself if it is a plugin of the wanted kind (of any kind when none is given); PLUGIN_INVALID otherwise. */
export function checkPlugin<K extends AnyKind>(
  kind: K | undefined,
  value: unknown,
  where: string,
): AnyPlugin<K> {
  if (!isPlugin(value)) {
    throw new RobustError('PLUGIN_INVALID', {
      message: 'This is not a plugin.',
      where,
      expected: `a default export made by ${helper(kind)}`,
      received: describe(value),
    });
  }
  if (kind === undefined || value.kind === kind) return value as AnyPlugin<K>;
  throw new RobustError('PLUGIN_INVALID', {
    message: `'${value.name}' is a plugin of another kind.`,
    where,
    expected: `a plugin of kind ${kind}`,
    received: `a plugin of kind ${value.kind}`,
  });
}

function helper(kind: string | undefined): string {
  if (kind === undefined || kind === 'hooks')
    return kind === undefined ? 'one of the define... helpers' : 'definePlugin';
  const name = `define${kind[0]?.toUpperCase()}${kind.slice(1)}`;
  return kind === 'model'
    ? `${name} or defineNetwork`
    : kind === 'attack'
      ? `${name} or defineIterativeAttack`
      : name;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const keys = Object.keys(value);
  return keys.length > 0 ? `an object with ${keys.slice(0, 8).join(', ')}` : 'an empty object';
}
