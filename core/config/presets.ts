import { RobustError, suggestion } from '../errors/index.ts';
import { moduleFiles } from '../registry/folder.ts';
import { asConfig } from './load.ts';
import type { Config } from './types.ts';

/** A named configuration: the default export of a file in the presets folder. */
export interface Preset {
  /** One sentence for lists. */
  readonly summary: string;
  readonly config: Config;
  /** What changes when a person asks for variants of it by name; later ones win. */
  readonly variants?: readonly Variant[];
  /** What a person without its data set can do: added to the error that says so. */
  readonly withoutData?: string;
}

/** A change of a preset's configuration. */
export interface Variant {
  /** It applies when all of these were asked for. */
  readonly when: readonly [string, ...string[]];
  readonly config: Config;
}

/** All presets of a folder, by name. */
export async function listPresets(folder: URL): Promise<(Preset & { readonly name: string })[]> {
  const names = [...(await moduleFiles(folder)).keys()];
  return Promise.all(names.map(async (name) => ({ name, ...(await loadPreset(name, folder)) })));
}

/** One preset of a folder; PRESET_UNKNOWN with the nearest name when there is none. */
export async function loadPreset(name: string, folder: URL): Promise<Preset> {
  const files = await moduleFiles(folder);
  const file = files.get(name);
  if (!file) {
    throw new RobustError('PRESET_UNKNOWN', {
      message: `There is no preset '${name}'.`,
      where: `preset:${name}`,
      next: suggestion(name, files.keys()),
    });
  }
  const { default: preset } = (await import(file.href)) as { default: Preset };
  asConfig(`preset:${name}`, preset.config);
  return preset;
}
