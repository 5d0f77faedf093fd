import {
  classLogits,
  defineAttack,
  type AttackRequest,
  type Context,
  type Random,
} from '../../core/index.ts';
import { dice } from './shared/worst.ts';

/** Parts of all queries after which the area of the squares is halved. */
const HALVINGS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8];

/** Follows its paper, but for the objective: the Dice of the probabilities with the truth, which is to fall. */
export default defineAttack({
  name: 'square',
  summary:
    'Random squares of plus or minus eps, kept where they help: asks for outputs, never for gradients.',
  references: ['Andriushchenko et al., Square Attack, ECCV 2020'],
  norm: 'linf',
  options: {
    queries: { description: 'Forward passes for one image.', type: 'integer', minimum: 1, default: 1000 },
    area: {
      description: 'Part of the image that the first squares cover.',
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.8,
    },
  },
  async perturb(request, { queries, area }, ctx) {
    const { x, ids } = request;
    const [, height, width] = x.shape;
    const clean = await x.data<'float32'>();
    const size = clean.length / ids.length;
    const streams = ids.map((id) => ctx.random('square', id));
    const best = clean.slice();
    streams.forEach((random, image) => {
      for (let column = 0; column < width; column++) {
        paint(best, clean, request, image, { top: 0, left: column, rows: height, columns: 1 }, random);
      }
    });
    const scores = await scoresOf(best, request, ctx);
    for (let query = 1; query < queries; query++) {
      ctx.signal.throwIfAborted();
      const halved = HALVINGS.filter((part) => query > part * queries).length;
      const side = Math.round(Math.sqrt((area * height * width) / 2 ** halved));
      const [rows, columns] = [height, width].map((most) => Math.min(Math.max(side, 1), most)) as [
        number,
        number,
      ];
      const tried = best.slice();
      streams.forEach((random, image) => {
        const [top, left] = [random.below(height - rows + 1), random.below(width - columns + 1)];
        paint(tried, clean, request, image, { top, left, rows, columns }, random);
      });
      (await scoresOf(tried, request, ctx)).forEach((score, image) => {
        if (score >= scores[image]!) return;
        scores[image] = score;
        best.set(tried.subarray(image * size, (image + 1) * size), image * size);
      });
    }
    return ctx.tf.tensor4d(best, x.shape);
  },
});

interface Window {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** Sets a window of an image to the clean one plus or minus eps, with one sign per channel. */
function paint(
  pixels: Float32Array,
  clean: Float32Array,
  { x, budget, model }: AttackRequest,
  image: number,
  { top, left, rows, columns }: Window,
  random: Random,
): void {
  const [, height, width, channels] = x.shape;
  const { low, high } = model.domain;
  const changes = Array.from({ length: channels }, () => (random.uniform() < 0.5 ? -1 : 1) * budget.eps);
  for (let y = top; y < top + rows; y++) {
    const start = ((image * height + y) * width + left) * channels;
    for (let i = start; i < start + columns * channels; i++) {
      pixels[i] = Math.min(high, Math.max(low, clean[i]! + changes[(i - start) % channels]!));
    }
  }
}

/** The Dice of the probabilities of every image: smooth, where that of masks would hide small progress. */
async function scoresOf(
  pixels: Float32Array,
  { x, model, truth }: AttackRequest,
  { tf }: Context,
): Promise<Float32Array> {
  const scores = tf.tidy(() => {
    const logits = model.logits(tf.tensor4d(pixels, x.shape));
    return dice(tf, tf.softmax(classLogits(logits)), truth);
  });
  const values = await scores.data<'float32'>();
  scores.dispose();
  return values;
}
