import { modelContract, type ModelSettings } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

/** Small enough for a test; what is not listed is tested with its defaults. */
const settings: Record<string, ModelSettings> = { unet: { options: { width: 2, depth: 3 } } };

for (const plugin of await bundled('model')) modelContract(plugin, settings[plugin.name]);
