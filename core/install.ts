import { RobustError } from './errors/index.ts';
import type { Hooks } from './hooks.ts';
import { defend } from './models/segmenter.ts';
import type { AttackPlugin, DatasetPlugin, DefensePlugin, MetricPlugin, ModelPlugin } from './plugin.ts';
import { openModel } from './subjects/open.ts';
import { attackBatch } from './sweep/attack.ts';

type Hooked = DatasetPlugin | ModelPlugin | DefensePlugin | AttackPlugin | MetricPlugin;

/** Which plugins are taps of a hook bag already. */
const installed = new WeakMap<Hooks, Map<string, Hooked>>();

/**
 * Makes a plugin the first tap of the hook of its kind and name.
 *
 * @throws RobustError PLUGIN_INVALID when another plugin of that kind has the name already.
 */
export function installPlugin(hooks: Hooks, plugin: Hooked): void {
  const known = installed.get(hooks) ?? new Map<string, Hooked>();
  installed.set(hooks, known);
  const key = `${plugin.kind} ${plugin.name}`;
  const other = known.get(key);
  if (other === plugin) return;
  if (other) {
    throw new RobustError('PLUGIN_INVALID', {
      message: `Two different ${plugin.kind} plugins are called '${plugin.name}'.`,
      where: plugin.name,
      next: 'give one of them another name',
    });
  }
  known.set(key, plugin);
  tap(hooks, plugin);
}

/** Before every other tap of that name, also those that were there earlier. */
const FIRST = -1000;

function tap(hooks: Hooks, plugin: Hooked): void {
  const options = { name: plugin.name, stage: FIRST };
  switch (plugin.kind) {
    case 'dataset':
      return hooks.dataset.for(plugin.name).tapPromise(options, (_, chosen, ctx) => plugin.load(chosen, ctx));
    case 'model':
      return hooks.model.for(plugin.name).tapPromise(options, (_, request) => openModel(request));
    case 'defense':
      return hooks.defense
        .for(plugin.name)
        .tap(options, (segmenter, { options: chosen, domain, ctx }) =>
          defend(segmenter, { plugin, options: chosen }, domain, ctx),
        );
    case 'attack':
      return hooks.attack.for(plugin.name).tap(options, (_, request) => attackBatch(request));
    case 'metric':
      return hooks.metric.for(plugin.name).tap(options, (_, pair, chosen) => plugin.measure(pair, chosen));
  }
}
