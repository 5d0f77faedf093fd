import { Option, type Command } from 'commander';
import { loadConfig, type Config, type LoadedConfig } from '../config/index.ts';
import { schema } from '../config/schema.ts';
import { parseValue } from '../config/values.ts';
import { fromFiles } from './files.ts';
import type { Io } from './io.ts';
import { presets } from './paths.ts';

/** Options of every command that works on a configuration. */
export interface Settings {
  readonly set?: readonly string[];
  readonly seed?: unknown;
  readonly backend?: string;
  readonly batch?: unknown;
  readonly limit?: unknown;
  readonly filter?: string;
  readonly output?: string;
  readonly baseline?: string;
  readonly reporter?: readonly string[];
  readonly scale?: string;
  readonly phantom?: boolean;
  readonly share: boolean;
  readonly fresh?: boolean;
  readonly audit?: true;
  readonly json?: boolean;
  readonly model?: readonly string[];
  readonly images?: string;
  readonly masks?: string;
}

/** Adds the target and the options that a configuration understands; their help is the schema's. */
export function withSettings(command: Command): Command {
  const about = (key: keyof typeof schema.properties) => schema.properties[key].description;
  const valued = (flags: string, key: keyof typeof schema.properties) =>
    new Option(flags, about(key)).argParser(parseValue);
  return command
    .argument('[target]', 'preset:NAME or a configuration file; searched for when absent')
    .option('--scale <name>', 'size of a preset: paper (as published), or small where it has that')
    .option('--phantom', 'generated images instead of the data set of a preset')
    .option('--set <path=value>', 'set any value, such as attacks.0.stepSize=2 (repeatable)', collect)
    .addOption(valued('--seed <n>', 'seed'))
    .option('--backend <name>', about('backend'))
    .addOption(valued('--batch <n>', 'batch'))
    .addOption(valued('--limit <n>', 'limit'))
    .option('--filter <text>', about('filter'))
    .option('--output <dir>', about('output'))
    .option('--model <file>', 'test this model file (repeatable); needs no configuration', collect)
    .option('--images <pattern>', "its images, such as 'img/*.png'")
    .option('--masks <pattern>', "their masks, such as 'mask/*.png'")
    .option('--no-share', 'attack every budget from the start, without sharing trajectories')
    .option('--fresh', about('fresh'));
}

/** Collects the values of a repeatable option. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Both flags name variants; the published scale is a preset as it is. */
function variantsOf({ scale = 'paper', phantom = false }: Settings): string[] | undefined {
  const names = [...(scale === 'paper' ? [] : [scale]), ...(phantom ? ['phantom'] : [])];
  return names.length > 0 ? names : undefined;
}

/** The configuration that target, environment and options make. */
export async function loadSettings(
  io: Io,
  target: string | undefined,
  settings: Settings,
): Promise<LoadedConfig> {
  const { set = [], seed, backend, batch, limit, filter, output, baseline, fresh } = settings;
  const given = {
    seed,
    backend,
    batch,
    limit,
    filter,
    output,
    baseline,
    fresh,
    reporters: settings.reporter,
    share: settings.share ? undefined : false,
    audit: settings.audit && 'full',
    variants: variantsOf(settings),
  };
  const flags = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Config;
  const chosen = await fromFiles(io, target, settings);
  return loadConfig({ cwd: io.cwd, env: io.env, presets, target: chosen, set, flags });
}
