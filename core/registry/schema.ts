import { schema } from '../config/schema.ts';
import type { Tree } from '../config/tree.ts';
import { kinds, type Kind, type Plugin } from '../plugin.ts';
import { optionsSchema } from './options.ts';
import type { Registry } from './registry.ts';

/** The JSON Schema of a configuration file, the options of every bundled plugin included: for editors. */
export async function configSchema(registry: Registry): Promise<Tree> {
  const definitions = await Promise.all(
    kinds.map(async (kind) => [kind, referenceSchema(kind, await registry.list(kind))] as const),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of robust',
    ...schema,
    $defs: Object.fromEntries(definitions),
  };
}

function referenceSchema(kind: Kind, plugins: readonly Plugin[]): Tree {
  const names = plugins.map(({ name }) => name);
  return {
    anyOf: [
      {
        description: `A bundled ${kind}, PACKAGE/NAME, or a file.`,
        type: 'string',
        minLength: 1,
        examples: names,
      },
      ...plugins.map(withOptions),
      {
        description: `A ${kind} of a package or file, with its options.`,
        type: 'object',
        properties: { use: { description: 'PACKAGE/NAME, or a file.', type: 'string', pattern: '[/\\\\]' } },
        required: ['use'],
      },
    ],
  };
}

function withOptions(plugin: Plugin): Tree {
  const { properties, required, ...rest } = optionsSchema(plugin) as { properties: Tree; required: string[] };
  return {
    description: plugin.summary,
    ...rest,
    properties: { use: { description: plugin.summary, type: 'string', const: plugin.name }, ...properties },
    required: ['use', ...required],
  };
}
