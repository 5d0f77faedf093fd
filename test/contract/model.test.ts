import { fileURLToPath } from 'node:url';
import { modelContract, type ModelSettings } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

const fixture = fileURLToPath(new URL('../../fixtures/onnx/unet.dynamo.onnx', import.meta.url));

/** Small enough for a test; what is not listed is tested with its defaults. */
const settings: Record<string, ModelSettings> = {
  cdnn: { options: { width: 1 / 32 } },
  invertednet: { options: { width: 1 / 128 } },
  nlcen: { options: { width: 1 / 64 } },
  nwcn: { options: { width: 1 / 8, dilations: [1, 2] } },
  slsdeep: { options: { width: 1 / 32 } },
  onnx: { options: { path: fixture, scale: '1/255' } },
  unet: { options: { width: 1 / 32, depth: 3 } },
};

for (const plugin of await bundled('model')) modelContract(plugin, settings[plugin.name]);
