import { RobustError } from '../errors/index.ts';
import { asConfig, explorer, type ConfigFile } from './load.ts';

/** The configuration that applies in a folder, or undefined. */
export async function findConfig(cwd: string): Promise<ConfigFile | undefined> {
  const found = await explorer.search(cwd);
  return found ? asConfig(found.filepath, found.config) : undefined;
}

/** Like {@link findConfig}; CONFIG_NOT_FOUND when there is none. */
export async function searchConfig(cwd: string): Promise<ConfigFile> {
  const found = await findConfig(cwd);
  if (found) return found;
  throw new RobustError('CONFIG_NOT_FOUND', {
    message: 'There is no configuration here.',
    where: cwd,
    expected: 'robust.config.ts (or .js, .mjs, .json, .yaml), .robustrc, or a "robust" key in package.json',
    next: 'name a preset or a file: robust run preset:quickstart; robust list preset shows the presets',
  });
}
