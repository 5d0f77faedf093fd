import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { RobustError } from '../errors/index.ts';
import type { Context, IntensityDomain, Segmenter } from '../vocabulary.ts';
import { fingerprint } from './fingerprint.ts';
import type { Defense, Network } from './network.ts';

/**
 * A trained network as something to attack: the first output in inference mode (running batch-norm statistics, no
 * dropout), behind the input and output defenses among `defenses`. The segmenter owns the network and disposes it.
 */
export async function networkSegmenter(
  network: Network,
  defenses: readonly Defense[] = [],
): Promise<Segmenter> {
  const bare: Segmenter = {
    channels: network.channels,
    fingerprint: await fingerprint(network.model),
    logits: (x) => tf.tidy(() => firstOutput(network, x)),
    dispose: () => network.dispose(),
  };
  const { domain } = network.request;
  return defenses.reduceRight((inner, defense) => defend(inner, defense, domain, network.ctx), bare);
}

function firstOutput({ model }: Network, x: Tensor4D): Tensor4D {
  const result = model.apply(x, { training: false });
  return (Array.isArray(result) ? result[0] : result) as Tensor4D;
}

/**
 * A segmenter behind an input or output defense. Architecture defenses, which are part of the network already, leave
 * it as it is. Of several defenses the first is the outermost: it sees the image first and the logits last.
 *
 * @throws RobustError MODEL_SHAPE (from `logits`) when the defense returns another shape than it was given.
 */
export function defend(
  segmenter: Segmenter,
  { plugin, options }: Defense,
  domain: IntensityDomain,
  ctx: Context,
): Segmenter {
  if (plugin.input === undefined && plugin.output === undefined) return segmenter;
  const identity = JSON.stringify([segmenter.fingerprint, plugin.name, options]);
  const guarded = (x: Tensor4D): Tensor4D => {
    const seen = plugin.input?.(x, domain, options, ctx) ?? x;
    const logits = segmenter.logits(sameShape(plugin.name, seen, x));
    return sameShape(plugin.name, plugin.output?.(logits, options, ctx) ?? logits, logits);
  };
  return {
    ...segmenter,
    fingerprint: createHash('sha256').update(identity).digest('hex'),
    logits: (x) => tf.tidy(() => guarded(x)),
    dispose: () => segmenter.dispose(),
  };
}

function sameShape(defense: string, result: Tensor4D, given: Tensor4D): Tensor4D {
  if (tf.util.arraysEqual(result.shape, given.shape)) return result;
  throw new RobustError('MODEL_SHAPE', {
    message: `The defense '${defense}' changes the shape of what it is given.`,
    where: defense,
    expected: `[${given.shape.join(', ')}]`,
    received: `[${result.shape.join(', ')}]`,
    next: 'an input defense maps images to images, an output defense logits to logits, of the same shape',
  });
}
