import { pathToFileURL, fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { createJiti, type Jiti } from 'jiti';

/**
 * Imports files and packages of the person who runs the program, TypeScript included, as seen from a folder. Whatever
 * they import from `robust` is this running copy, wherever they lie.
 */
export async function importer(dir: string): Promise<Jiti> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  // Imported late: the public door itself exports what uses this file.
  const robust: unknown = await import('../index.ts');
  return createJiti(pathToFileURL(join(dir, 'robust.config.js')).href, {
    alias: { 'robust/testing': fileURLToPath(new URL(`../testing/index${extension}`, import.meta.url)) },
    virtualModules: { robust },
    // A long-lived process must see that a file has changed.
    moduleCache: false,
  });
}

/** The default export of a file or installed package as seen from a folder; undefined when it has none. */
export async function importDefault(id: string, dir: string): Promise<unknown> {
  const jiti = await importer(dir);
  return defaultOf(await jiti.import(id));
}

/** Read past jiti's proxy, which answers with the whole module when the default export is undefined. */
function defaultOf(module: unknown): unknown {
  if (typeof module !== 'object' || module === null) return module;
  const own = Object.getOwnPropertyDescriptor(module, 'default');
  const compiled = (module as { __esModule?: boolean }).__esModule === true;
  if (!own) return compiled ? undefined : module;
  const value: unknown = own.get ? own.get.call(module) : own.value;
  // A CommonJS file compiled from an ES module arrives with its exports as default.
  return isCompiled(value) ? defaultOf(value) : value;
}

function isCompiled(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '__esModule');
}
