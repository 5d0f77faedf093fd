import type * as tfl from '@tensorflow/tfjs-layers';
import { RobustError, suggestion } from '../errors/index.ts';

/**
 * Makes layers keep what they know: their weights do not move, and they work as in inference (running statistics stay
 * as they are, dropout drops nothing). Returns what undoes it.
 *
 * @param patterns Layer names with `*` for any text; of several that match a layer the last one counts, and one that
 * starts with `!` lets it learn.
 * @throws RobustError CONFIG_INVALID when a pattern matches no layer, or when nothing is left to learn.
 */
export function freeze(model: tfl.LayersModel, patterns: readonly string[]): () => void {
  const rules = patterns.map((pattern) => ({ pattern, ...ruleOf(pattern) }));
  const names = model.layers.map(({ name }) => name);
  const idle = rules.find(({ matches }) => !names.some((name) => matches.test(name)));
  if (idle) throw invalid(`No layer is called '${idle.pattern}'.`, suggestion(idle.pattern, names));
  const frozen = model.layers.filter(
    ({ name }) => rules.findLast(({ matches }) => matches.test(name))?.frozen ?? false,
  );
  const undo = frozen.map(still);
  const restore = () => undo.forEach((each) => each());
  if (model.trainableWeights.length > 0) return restore;
  restore();
  throw invalid('With these layers frozen, nothing is left to learn.', "free some of them: ['*', '!head*']");
}

function ruleOf(pattern: string): { frozen: boolean; matches: RegExp } {
  const frozen = !pattern.startsWith('!');
  const parts = (frozen ? pattern : pattern.slice(1)).split('*');
  const escaped = parts.map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return { frozen, matches: new RegExp(`^${escaped.join('.*')}$`) };
}

function still(layer: tfl.layers.Layer): () => void {
  const { trainable } = layer;
  layer.trainable = false;
  const call = layer.call.bind(layer);
  // Own property in front of the class's method.
  layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  return () => {
    layer.trainable = trainable;
    Reflect.deleteProperty(layer, 'call');
  };
}

function invalid(message: string, next: string): RobustError {
  return new RobustError('CONFIG_INVALID', { message, where: 'training.freeze', next });
}
