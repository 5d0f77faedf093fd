import { readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';

/** The modules of a folder by name: `NAME.ts`, `NAME.js` or `NAME/index.ts|.js`; none when there is no folder. */
export async function moduleFiles(folder: URL): Promise<Map<string, URL>> {
  const files = new Map<string, URL>();
  if (!existsSync(folder)) return files;
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const found = entry.isDirectory() ? indexOf(folder, entry.name) : fileOf(folder, entry.name);
    if (found) files.set(...found);
  }
  return files;
}

function fileOf(folder: URL, file: string): [string, URL] | undefined {
  const name = /^([a-z0-9-]+)\.(ts|js)$/.exec(file)?.[1];
  return name === undefined ? undefined : [name, new URL(file, folder)];
}

function indexOf(folder: URL, name: string): [string, URL] | undefined {
  const urls = ['index.ts', 'index.js'].map((file) => new URL(`${name}/${file}`, folder));
  const url = urls.find((candidate) => existsSync(candidate));
  return url && [name, url];
}
