import sharp from 'sharp';
import { short, defineReporter, type Report } from '../../../core/index.ts';
import { drawChart } from './chart.ts';
import { comparisonText, type Published } from './published.ts';

/** Pixels per unit of the drawing, so that print and slides stay sharp. */
const DENSITY = 2 * 72;

export default defineReporter({
  name: 'figure',
  summary:
    'Draws the curves with their 95 % intervals as SVG and PNG, and compares them with published numbers.',
  prints: true,
  options: {
    title: { description: 'Heading of the figure; empty names the data set.', type: 'string', default: '' },
    published: {
      description: 'Published values: { subject, metric, eps, value } each, drawn as diamonds.',
      type: 'array',
      items: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
      default: [],
    },
    images: {
      description: 'Test images behind the published values; null does not compare them.',
      type: ['integer', 'null'],
      default: null,
    },
    caveats: {
      description: 'What a variant of the preset changes, by its name: said beside published values.',
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
    },
  },
  async report(report, { title, published, images, caveats }, { print, write }) {
    const known = published as unknown as readonly Published[];
    const remarks = differences(report, images, caveats);
    const attacks = [...new Set(report.curves.map(({ attack }) => attack))];
    const drawn: string[] = [];
    for (const [index, attack] of attacks.entries()) {
      const name = index === 0 ? 'figure' : `figure-${index + 1}`;
      const heading = [title || report.dataset.name, attack].map((text) => short(text)).join(', ');
      const svg = await drawChart(report, attack, { heading, remarks, published: known });
      await write(`${name}.svg`, svg);
      await write(`${name}.png`, await sharp(Buffer.from(svg), { density: DENSITY }).png().toBuffer());
      drawn.push(`figure: ${name}.svg and ${name}.png`);
    }
    const lines = [...comparisonText(report, known, remarks), ...drawn];
    print(`${lines.join('\n')}\n\n`);
  },
});

/** Why published numbers and those here need not agree. */
function differences(
  { configuration, dataset }: Report,
  images: number | null,
  caveats: Readonly<Record<string, string>>,
): string[] {
  const { variants = [] } = configuration as { variants?: readonly string[] };
  const changed = variants.flatMap((name) => caveats[name] ?? []);
  const fewer = images !== null && images !== dataset.images;
  return [...changed, ...(fewer ? [`${dataset.images} test images, not ${images}`] : [])].map((text) =>
    short(text),
  );
}
