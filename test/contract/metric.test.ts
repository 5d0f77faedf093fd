import { metricContract } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

for (const plugin of await bundled('metric')) metricContract(plugin);
