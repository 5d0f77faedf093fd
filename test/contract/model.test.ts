import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelContract, temporaryFolder, type ModelSettings } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));

/** A black box: bright pixels are foreground. */
const threshold = join(temporaryFolder(), 'threshold.js');
writeFileSync(
  threshold,
  `export default ({ shape: [height, width, channels], data }) => ({
    shape: [height, width],
    data: Array.from({ length: height * width }, (_, i) => Number(data[i * channels] > 100)),
  });`,
);

/** Small enough for a test; what is not listed is tested with its defaults. */
const settings: Record<string, ModelSettings> = {
  cdnn: { options: { width: 1 / 32 } },
  invertednet: { options: { width: 1 / 128 } },
  javascript: { options: { file: threshold } },
  keras: { options: { path: fixture('keras/sequential.keras3.keras'), scale: '1/255' } },
  nlcen: { options: { width: 1 / 64 } },
  nwcn: { options: { width: 1 / 8, dilations: [1, 2] } },
  slsdeep: { options: { width: 1 / 32 } },
  onnx: { options: { path: fixture('onnx/unet.dynamo.onnx'), scale: '1/255' } },
  savedmodel: { options: { path: fixture('savedmodel/first'), scale: '1/255' } },
  tfjs: { options: { path: fixture('tfjs/sequential.layers/model.json'), scale: '1/255' } },
  unet: { options: { width: 1 / 32, depth: 3 } },
};

for (const plugin of await bundled('model')) modelContract(plugin, settings[plugin.name]);
