import { expect, it } from 'vitest';
import { kinds } from '../../core/index.ts';
import { Registry } from '../../core/registry/index.ts';

const registry = new Registry({
  bundledPlugins: new URL('../../plugins/', import.meta.url),
  baseDir: process.cwd(),
});

it.each(kinds)('each bundled %s has the name of its file', async (kind) => {
  const plugins = await registry.list(kind);
  expect(plugins.map(({ name }) => name)).toEqual(await registry.names(kind));
  expect(plugins.length).toBeGreaterThan(0);
});
