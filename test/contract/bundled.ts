import type { Kind, PluginOf } from '../../core/index.ts';
import { Registry } from '../../core/registry/index.ts';

/** Every bundled plugin of a kind, found by listing its folder: a new one is covered on arrival. */
export async function bundled<K extends Kind>(kind: K): Promise<PluginOf[K][]> {
  const bundledPlugins = new URL('../../plugins/', import.meta.url);
  const registry = new Registry({ bundledPlugins, baseDir: process.cwd() });
  return (await registry.list(kind)) as PluginOf[K][];
}
