import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { defineReporter, groupBy, type Example, type Report } from '../../../core/index.ts';
import { composeGrid, type Block } from './compose.ts';

/** Pixels per unit of the drawing. */
const DENSITY = 1.5 * 72;

export default defineReporter({
  name: 'grid',
  summary:
    'Draws images under attack as SVG and PNG: perturbation, adversarial image and segmentation of each subject.',
  prints: true,
  options: { images: { description: 'Most images in a figure.', type: 'integer', minimum: 1, default: 2 } },
  async report(report, { images }, { print, write, dir }) {
    const figures = [
      ...groupBy(report.examples ?? [], ({ attack, eps }) => JSON.stringify([attack, eps])).values(),
    ];
    const drawn: string[] = [];
    for (const examples of figures.filter(([first]) => first!.eps > 0)) {
      const blocks = blocksOf(report, examples, dir).slice(0, images);
      if (blocks.length === 0) continue;
      const { attack, eps } = examples[0]!;
      const name = `grid-${attack.replaceAll(/[^\w-]+/g, '_').slice(0, 24)}-eps${eps}`;
      const svg = await composeGrid(blocks, `${attack}, eps ${eps}`, dir);
      await write(`${name}.svg`, svg);
      await write(`${name}.png`, await sharp(Buffer.from(svg), { density: DENSITY }).png().toBuffer());
      drawn.push(`grid: ${name}.svg and ${name}.png\n`);
    }
    print(drawn.length === 0 ? 'grid: none, for no image has pictures of every subject\n' : drawn.join(''));
  },
});

/** The images that every subject has pictures of, under attack and clean. */
function blocksOf({ examples = [], subjects }: Report, attacked: readonly Example[], dir: string): Block[] {
  const looking = subjects.filter(({ blind }) => !blind).map(({ name }) => name);
  return [...groupBy(attacked, ({ sample }) => sample).values()].flatMap((ofSample) => {
    const columns = looking.flatMap((subject) => {
      const hit = ofSample.find((example) => example.subject === subject);
      const clean = examples.find(
        (example) =>
          example.eps === 0 &&
          example.subject === subject &&
          example.attack === hit?.attack &&
          example.sample === hit.sample,
      );
      return hit && clean && existsSync(join(dir, hit.adversarial)) ? [{ hit, clean }] : [];
    });
    return columns.length === looking.length && columns.length > 0 ? [{ columns }] : [];
  });
}
