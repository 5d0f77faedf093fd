import { RobustError, loadConfig, type ConfigRequest, type LoadedConfig } from '../../../core/index.ts';

const presets = new URL('./presets/', import.meta.url);

/** A configuration that needs nothing else, as JSON. */
export const json = '{ "dataset": "chest-phantom", "subjects": { "plain": { "model": "unet" } } }';
/** The same, as a JavaScript expression. */
export const small = "{ dataset: 'chest-phantom', subjects: { plain: { model: 'unet' } } }";

export function load(
  cwd: string,
  request: Omit<ConfigRequest, 'cwd' | 'presets'> = {},
): Promise<LoadedConfig> {
  return loadConfig({ cwd, presets, ...request });
}

/** The error that some work fails with. */
export async function failure(work: Promise<unknown>): Promise<RobustError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RobustError) return error;
  throw new Error('expected a RobustError', { cause: error });
}
