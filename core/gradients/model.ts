import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { AttackedModel, AttackLoss, Step } from '../plugin.ts';
import { RobustError } from '../errors/index.ts';
import type { IntensityDomain, Segmenter } from '../vocabulary.ts';

/** A segmenter whose evaluations are counted per image. */
export class CountedModel implements AttackedModel {
  readonly segmenter: Segmenter;
  readonly domain: IntensityDomain;
  readonly classes: number;
  /** Images of the current batch that are not padding. */
  images = 0;
  /** Gives a step in its fastest form. */
  compile: (key: string, step: Step) => Step = (_, step) => step;
  #gradients = 0;
  #forwards = 0;
  #health: Tensor | undefined;

  constructor(segmenter: Segmenter, domain: IntensityDomain, classes: number) {
    this.segmenter = segmenter;
    this.domain = domain;
    this.classes = classes;
  }

  get channels(): number {
    return this.segmenter.channels;
  }

  /** Gradient evaluations so far, counted per image. */
  get gradients(): number {
    return this.#gradients;
  }

  /** Forward passes so far, counted per image; those inside gradients are not among them. */
  get forwards(): number {
    return this.#forwards;
  }

  logits(x: Tensor4D): Tensor4D {
    this.countForward();
    return this.compile('logits', (image) => [this.segmenter.logits(image as Tensor4D)])(x)[0] as Tensor4D;
  }

  gradient(x: Tensor4D, loss: AttackLoss, key?: string, inputs: readonly Tensor[] = []): Tensor4D {
    this.countGradient();
    const step: Step = (image, ...given) => [
      lossGradient(this.segmenter, image as Tensor4D, (logits) => loss(logits, ...given)),
    ];
    const run = key === undefined ? step : this.compile(`gradient ${key}`, step);
    const gradient = run(x, ...inputs)[0] as Tensor4D;
    const before = this.#health;
    this.#health = tf.tidy(() => tf.keep(tf.add(before ?? 0, tf.sum(tf.abs(gradient), [1, 2, 3]))));
    before?.dispose();
    return gradient;
  }

  /**
   * Summed |gradient| `[N]` of all calls of {@link gradient} since the last time, if there were any: NaN shows here, where
   * `sign` and `clip` may hide it. Whoever takes it disposes it.
   */
  takeHealth(): Tensor | undefined {
    const health = this.#health;
    this.#health = undefined;
    return health;
  }

  /** For steps that run compiled, where the call itself is not seen. */
  countGradient(): void {
    this.#gradients += this.images;
  }

  countForward(): void {
    this.#forwards += this.images;
  }
}

/**
 * Gradient of `loss(logits(x))` with respect to x, of the shape of x; nothing is counted.
 *
 * @throws RobustError GRADIENT_MISSING when the segmenter says that it has none.
 */
export function lossGradient(
  segmenter: Segmenter,
  x: Tensor4D,
  loss: (logits: Tensor4D) => Scalar,
): Tensor4D {
  if (segmenter.gradient === false) throw gradientMissing('a model without a gradient');
  return tf.grad((input) => loss(segmenter.logits(input as Tensor4D)))(x) as Tensor4D;
}

/** What an attack that follows gradients is told by a model that has none. */
export function gradientMissing(where: string): RobustError {
  return new RobustError('GRADIENT_MISSING', {
    message: 'The model has no gradient, and the attack needs one.',
    where,
    expected: 'an attack that only looks at what the model predicts',
    next: '`robust list attack` shows the attacks; choose one that needs no gradient',
  });
}
