import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { RobustError } from '../errors/index.ts';
import type { NetworkPlugin } from '../plugin.ts';
import type { Context } from '../vocabulary.ts';
import type { Defense } from './network.ts';
import { seeds } from './seeds.ts';

/** The taps of one network under construction: hands features to the architecture defenses and keeps the books. */
export class Taps {
  readonly #plugin: NetworkPlugin;
  readonly #defenses: readonly Defense[];
  readonly #ctx: Context;
  readonly #called = new Set<string>();
  readonly #used = new Set<Defense>();

  constructor(plugin: NetworkPlugin, defenses: readonly Defense[], ctx: Context) {
    this.#plugin = plugin;
    this.#defenses = defenses.filter(({ plugin: { transform } }) => transform !== undefined);
    this.#ctx = ctx;
  }

  /** Threads features through every architecture defense, in order. */
  transform(name: string, features: SymbolicTensor): SymbolicTensor {
    if (!this.#plugin.taps.includes(name))
      throw this.#misuse(`calls the tap '${name}', which it does not declare`);
    if (this.#called.has(name)) throw this.#misuse(`calls the tap '${name}' twice`);
    this.#called.add(name);
    return this.#defenses.reduce(
      (current, defense, index) => this.#apply(defense, index, name, current),
      features,
    );
  }

  /** Throws unless every tap was called and every defense found one to transform. */
  finish(): void {
    const missing = this.#plugin.taps.filter((name) => !this.#called.has(name));
    if (missing.length > 0) throw this.#misuse(`declares taps that it never calls: ${missing.join(', ')}`);
    const idle = this.#defenses.find((defense) => !this.#used.has(defense));
    if (idle === undefined) return;
    const { name, taps } = this.#plugin;
    throw new RobustError('TAP_UNUSED', {
      message: `The defense '${idle.plugin.name}' transforms no tap of the network '${name}'.`,
      where: idle.plugin.name,
      expected: 'a defense that transforms at least one tap',
      next:
        taps.length > 0
          ? `choose among its taps: ${taps.join(', ')}`
          : `'${name}' has no taps: use another network`,
    });
  }

  #apply(defense: Defense, index: number, name: string, features: SymbolicTensor): SymbolicTensor {
    const { plugin, options } = defense;
    const seed = seeds(this.#ctx.random('weights', this.#plugin.name, name, index, plugin.name));
    const result = plugin.transform!({ name, features, seed }, options, this.#ctx);
    if (result === features) return features;
    this.#used.add(defense);
    if (String(result.shape) === String(features.shape)) return result;
    throw new RobustError('MODEL_SHAPE', {
      message: `The defense '${plugin.name}' changes the shape of the features at the tap '${name}'.`,
      where: `${this.#plugin.name}, tap '${name}'`,
      expected: shapeText(features),
      received: shapeText(result),
      next: 'a defense must return features of the shape it was given',
    });
  }

  #misuse(what: string): RobustError {
    const { name, taps } = this.#plugin;
    return new RobustError('TAP_INVALID', {
      message: `The network '${name}' ${what}.`,
      where: name,
      expected: `one call of each of its taps: ${taps.join(', ') || 'none'}`,
      next: `make 'taps' and the calls of tap() in '${name}' agree`,
    });
  }
}

function shapeText(features: SymbolicTensor): string {
  return `[${features.shape.map((d) => d ?? 'N').join(', ')}]`;
}
