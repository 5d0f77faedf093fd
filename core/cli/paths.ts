import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folders that come with this package, in a source checkout and in `dist` alike. */
export const bundledPlugins = new URL('../../plugins/', import.meta.url);
export const presets = new URL('../../presets/', import.meta.url);

/** The version in package.json, which lies above `dist` in an installed package. */
export function version(): string {
  const places = ['../../package.json', '../../../package.json'].map(
    (path) => new URL(path, import.meta.url),
  );
  const file = places.find((place) => existsSync(place));
  if (!file) throw new Error('package.json of robust is missing');
  return (JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as { version: string }).version;
}
