import { metricContract, type MetricSettings } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

const settings: Record<string, MetricSettings> = {
  'area-error': { symmetric: false },
  sensitivity: { symmetric: false },
  specificity: { symmetric: false, contentWithNothing: true },
  // With a tolerance, the surface of an inverted mask agrees with that of the mask.
  'surface-dice': { options: { tolerance: 0 } },
};

for (const plugin of await bundled('metric')) metricContract(plugin, settings[plugin.name]);
