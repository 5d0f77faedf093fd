export { optionsSchema, resolveOptions } from './options.ts';
export { Registry, split } from './registry.ts';
export { bundledResolver, fileResolver, packageResolver, type Lookup, type Resolver } from './resolvers.ts';
export { configSchema } from './schema.ts';
