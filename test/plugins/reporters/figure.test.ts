import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePng, type Example, type Report, type ReportTarget } from '../../../core/index.ts';
import { sampleReport, temporaryFolder } from '../../../core/testing/index.ts';
import { writeAtomically } from '../../../core/store/output.ts';
import figure from '../../../plugins/reporters/figure/index.ts';
import grid from '../../../plugins/reporters/grid/index.ts';

/** Runs a reporter; `read` gives what it wrote. */
async function draw(work: (target: ReportTarget) => unknown, dir = temporaryFolder()) {
  let printed = '';
  await work({
    ...{ dir, columns: 80, colour: false },
    print: (text) => void (printed += text),
    write: (name, content) => writeAtomically(join(dir, name), content),
  });
  return { printed, read: (name: string) => readFile(join(dir, name)) };
}

const sample = sampleReport();
const { subject, attack, metric, points } = sample.curves[0]!;
const report: Report = {
  ...sample,
  configuration: { variants: ['small'] },
  subjects: [...sample.subjects, { ...sample.subjects[0]!, name: 'floor', blind: true }],
  curves: [...sample.curves, { ...sample.curves[0]!, subject: 'floor' }],
};

describe('the figure', () => {
  const options = {
    title: 'Figure 4',
    published: [
      { subject, metric, eps: 0, value: 0.5 },
      { subject: 'absent', metric, eps: 32, value: 0.25 },
    ],
    images: 123,
    caveats: { small: 'reduced widths', phantom: 'generated images' },
  };
  let drawn: Awaited<ReturnType<typeof draw>>;
  beforeAll(async () => {
    drawn = await draw((target) => figure.report(report, options, target));
  });

  it('has a line for each subject, a dashed one for the floor, and published values as marks', async () => {
    const svg = (await drawn.read('figure.svg')).toString();
    const lines = [
      ...svg.matchAll(
        /<path aria-label="[^"]*" role="graphics-symbol" aria-roledescription="line mark"[^>]*>/g,
      ),
    ];
    expect(lines.map(([text]) => text.includes('stroke-dasharray="4,3"')).filter(Boolean)).toHaveLength(1);
    const metrics = new Set(report.curves.map((curve) => curve.metric));
    const curves = report.curves.filter((curve) => curve.attack === attack);
    expect(lines).toHaveLength(curves.length);
    expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(2);
    for (const text of ['Figure 4', 'reduced widths', 'published values', ...metrics])
      expect(svg).toContain(text);
    expect(svg).not.toContain('generated images');
    const png = await sharp(await drawn.read('figure.png')).metadata();
    expect(png).toMatchObject({ format: 'png' });
    expect(png.width).toBeGreaterThan(1000);
  });

  it('lists a network beside its variants, and baselines last', async () => {
    const named = ['a', 'floor', 'b', 'a+x'].map((name) => ({
      ...sample.subjects[0]!,
      name,
      ...(name === 'floor' && { blind: true as const }),
    }));
    const curves = named.map(({ name }) => ({ ...sample.curves[0]!, subject: name }));
    const { read } = await draw((target) =>
      figure.report({ ...report, subjects: named, curves }, options, target),
    );
    const labels = [...(await read('figure.svg')).toString().matchAll(/<text[^>]*>([^<]*)<\/text>/g)];
    const texts = labels.map(([, text]) => text!).filter((text) => named.some(({ name }) => name === text));
    expect(texts).toEqual(['a', 'a+x', 'b', 'floor']);
  });

  it('says how published values compare, and what differs', () => {
    const mean = points[0]!.mean!;
    const lines = drawn.printed.split('\n');
    expect(lines[2]).toMatch(new RegExp(`^${subject} +${metric} +clean +0\\.500 +${mean.toFixed(3)} \\[`));
    expect(lines[2]!.endsWith((mean - 0.5).toFixed(3))).toBe(true);
    expect(lines[3]).toMatch(/^absent .* 0\.250 +not run$/);
    expect(lines.filter((line) => line.startsWith('!'))).toEqual([
      '! not the published experiment: reduced widths',
      `! not the published experiment: ${report.dataset.images} test images, not 123`,
    ]);
  });

  it('says nothing about published values where there are none', async () => {
    const none = { ...options, published: [] };
    const { printed } = await draw((target) => figure.report(report, none, target));
    expect(printed.startsWith('figure: figure.svg')).toBe(true);
  });
});

describe('the grid', () => {
  const side = 4;
  const flat = (value: number) => ({
    shape: [side, side, 1] as const,
    data: new Float32Array(side * side).fill(value),
  });
  const examples = (subjects: readonly string[], eps: number): Example[] =>
    subjects.flatMap((name) =>
      [0, eps].map((level) => ({
        ...{ subject: name, attack, eps: level, sample: 's<1>' },
        ...{ image: 'image.png', truth: 'truth.png' },
        adversarial: level === 0 ? 'image.png' : 'adversarial.png',
        prediction: `prediction-${level}.png`,
      })),
    );

  async function folder(): Promise<string> {
    const dir = temporaryFolder();
    const pictures = { image: 100, adversarial: 108, truth: 255, 'prediction-0': 255, 'prediction-8': 0 };
    for (const [name, value] of Object.entries(pictures))
      await writeAtomically(join(dir, `${name}.png`), await encodePng(flat(value)));
    return dir;
  }

  it('shows perturbation, image and segmentations of each subject that looks at images', async () => {
    const names = sample.subjects.map(({ name }) => name);
    const full = { ...report, examples: examples(names, 8) };
    const { printed, read } = await draw(
      (target) => grid.report(full, { images: 2 }, target),
      await folder(),
    );
    const name = `grid-${attack}-eps8`;
    expect(printed).toBe(`grid: ${name}.svg and ${name}.png\n`);
    const svg = (await read(`${name}.svg`)).toString();
    expect(svg).toContain('s&lt;1&gt;');
    const pictures = [...svg.matchAll(/base64,([^"]+)"/g)].map(([, data]) => Buffer.from(data!, 'base64'));
    const levels = await Promise.all(
      pictures.map(async (png) => (await sharp(png).greyscale().raw().toBuffer())[0]),
    );
    // Image and truth; then +8 of 8 as white, the image, what is predicted under attack and clean.
    expect(levels).toEqual([100, 255, ...names.flatMap(() => [255, 108, 0, 255])]);
    expect((await sharp(await read(`${name}.png`)).metadata()).format).toBe('png');
  });

  it('leaves out images of which a subject has no pictures', async () => {
    const partial = { ...report, examples: examples([sample.subjects[0]!.name], 8) };
    const { printed } = await draw((target) => grid.report(partial, { images: 2 }, target), await folder());
    expect(printed).toBe('grid: none, for no image has pictures of every subject\n');
  });
});
