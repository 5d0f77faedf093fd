import { attackContract } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

/** Less of what costs time, where an attack has such an option. */
const few = { queries: 12, steps: 4, draws: 3 };

for (const plugin of await bundled('attack')) {
  const own = Object.entries(few).filter(([name]) => typeof plugin.options[name]?.default === 'number');
  attackContract(plugin, { options: Object.fromEntries(own) });
}
