import { createRequire } from 'node:module';

/** Versions of what computes, by name. */
export function versions(): { readonly robust: string; readonly node: string; readonly tfjs: string } {
  const require = createRequire(import.meta.url);
  const own = require('robust/package.json') as { version: string };
  const tfjs = require('@tensorflow/tfjs-core/package.json') as { version: string };
  return { robust: own.version, node: process.versions.node, tfjs: tfjs.version };
}
