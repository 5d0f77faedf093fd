import { describe, expect, it } from 'vitest';
import { resolveOptions, type Curve, type Point, type Report } from '../../../core/index.ts';
import { sampleReport } from '../../../core/testing/report.ts';
import terminal from '../../../plugins/reporters/terminal/index.ts';
import { plainRun } from './runs.ts';

async function show(report: Report, options: { digits?: number; all?: boolean } = {}, columns = 80) {
  let printed = '';
  await terminal.report(
    report,
    { ...resolveOptions(terminal), ...options },
    {
      dir: 'runs/latest',
      print: (text) => (printed += text),
      write: () => Promise.reject(new Error('nothing is written')),
      columns,
      colour: false,
    },
  );
  return printed.split('\n');
}

/** A curve that falls from 0.9 to 0.1 over the paper's grid. */
function fall(subject: string, metric: string, scale = 1): Curve {
  const levels = [0, 0.5, 1, ...Array.from({ length: 16 }, (_, index) => 2 * (index + 1))];
  const points = levels.map((eps): Point => {
    const mean = (scale * (900 - 25 * eps)) / 1000;
    return {
      eps,
      mean,
      low: mean - 0.1 * scale,
      high: mean + 0.1 * scale,
      pooled: null,
      n: 16,
      undefined: 0,
    };
  });
  return { subject, attack: 'targeted-ifgsm', metric, points };
}

const sample = sampleReport();
const paper: Report = {
  ...sample,
  curves: ['unet', 'unet+nlce'].flatMap((name) => [fall(name, 'dice'), fall(name, 'hd95', 100)]),
  comparisons: [0, 8, 32].map((eps, index) => ({
    ...{
      metric: 'dice',
      attack: eps === 0 ? 'clean' : 'targeted-ifgsm',
      eps,
      subject: 'unet+nlce',
      reference: 'unet',
    },
    ...{ difference: [-0.01, 0.0257, null][index]!, low: -0.02, high: 0.03 },
    ...{ p: 0.01, pHolm: [0.2, 0.04, null][index]!, n: 16, undefined: 0 },
  })),
};

describe('the terminal reporter', () => {
  it('says first what gates and audit say', async () => {
    const lines = await show(sample);
    expect(lines.findIndex((line) => line.startsWith('fail '))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('audit: ')),
    );
    expect(lines.findIndex((line) => line.startsWith('audit: '))).toBeLessThan(
      lines.indexOf('chest-phantom: 3 images of 8 x 8'),
    );
    const { gates: _gates, audit: _audit, ...rest } = sample;
    expect((await show(rest)).slice(0, 2)).toEqual([
      'no gates are configured: nothing here passes or fails',
      'the audit was off',
    ]);
    expect((await show({ ...rest, status: 'interrupted' }))[0]).toMatch(/^interrupted: /);
  });

  it('tells what the run cost, and names tensors that something forgot', async () => {
    const cost = { gradients: 1234, forwards: 56, seconds: 64.24 };
    const line = async (memory: Report['memory']) =>
      (await show({ ...sample, cost, ...(memory && { memory }) })).find((text) => text.startsWith('1,234'));
    const work = '1,234 gradients, 56 forward passes, 64.2 s';
    expect(await line({ peakBytes: 0.62e9, tensors: 0 })).toBe(`${work}, 0.6 GB of memory`);
    expect(await line({ peakBytes: 0.62e9, tensors: 2 })).toBe(
      `${work}, 0.6 GB of memory, 2 tensors never disposed of`,
    );
    expect(await line(undefined)).toBe(work);
  });

  it('draws the first metric as bars at one eps for each halving, shaded where the mean may lie', async () => {
    const lines = await show(paper);
    const start = lines.indexOf('dice under targeted-ifgsm');
    expect(lines.slice(start + 1, start + 11)).toEqual([
      'mean over images [95 % interval]; 11 more eps are in report.json',
      '  eps  unet                                 unet+nlce',
      'clean  0.900 [0.800, 1.000] ███████████▒▒▒  0.900 [0.800, 1.000] ███████████▒▒▒',
      '  0.5  0.887 [0.787, 0.987] ███████████▒▒▒  0.887 [0.787, 0.987] ███████████▒▒▒',
      '    1  0.875 [0.775, 0.975] ███████████▒▒▒  0.875 [0.775, 0.975] ███████████▒▒▒',
      '    2  0.850 [0.750, 0.950] ███████████▒▒   0.850 [0.750, 0.950] ███████████▒▒',
      '    4  0.800 [0.700, 0.900] ██████████▒▒▒   0.800 [0.700, 0.900] ██████████▒▒▒',
      '    8  0.700 [0.600, 0.800] ████████▒▒▒     0.700 [0.600, 0.800] ████████▒▒▒',
      '   16  0.500 [0.400, 0.600] ██████▒▒        0.500 [0.400, 0.600] ██████▒▒',
      '   32  0.100 [0.000, 0.200] ▒▒▒             0.100 [0.000, 0.200] ▒▒▒',
    ]);
  });

  it('gives the other metrics a line each, with their course', async () => {
    const lines = await show(paper);
    const start = lines.indexOf('other metrics');
    expect(lines.slice(start + 1, start + 3)).toEqual([
      '                  clean       8      16      32',
      'hd95  unet       90.000  70.000  50.000  10.000  █████▇▇▆▆▅▅▅▄▄▃▃▂▂▁',
    ]);
    expect((await show(paper, { all: true })).filter((line) => line.startsWith('   30 '))).toHaveLength(2);
  });

  it('marks differences that are more than chance', async () => {
    const lines = await show(paper);
    const start = lines.indexOf('dice: difference to unet, image by image');
    expect(lines.slice(start + 1, start + 3)).toEqual([
      '            clean        8    32',
      'unet+nlce  -0.010   +0.026*  n/a',
    ]);
  });

  it('names the most damaged images, with their scores', async () => {
    const { report } = await plainRun();
    const lines = await show(report);
    const start = lines.indexOf('most damaged images: dice, clean → eps 32');
    expect(lines[start + 1]).toMatch(/^unet {7}case-2 0\.870 → 0\.097 {3}case-1 0\.900 → 0\.100$/);
    expect((await show(sample)).join('\n')).not.toContain('most damaged');
  });

  it('gives each of many subjects a line instead of a table', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `subject-${index}`);
    const many = { ...paper, curves: names.map((name) => fall(name, 'dice')) };
    const lines = await show(many);
    const start = lines.indexOf('means over images');
    expect(lines[start + 10]).toMatch(/^ +subject-8 +0\.900 +0\.700 +0\.500 +0\.100 +█/);
    expect(lines.filter((line) => line.startsWith('clean'))).toEqual([]);
    expect((await show(many, { all: true })).filter((line) => line.startsWith('clean'))).toHaveLength(4);
  });

  it('leaves bars out where there is no room, and keeps to the columns there are', async () => {
    const names = ['a', 'b', 'c'].map((name) => `${name}-with-a-long-name-of-its-own`);
    const wide = { ...paper, curves: names.map((name) => fall(name, 'dice')) };
    for (const columns of [80, 60, 120]) {
      const lines = await show({ ...wide, gates: [] }, {}, columns);
      expect(lines.filter((line) => [...line].length > columns)).toEqual([]);
    }
    expect((await show(wide)).join('\n')).not.toContain('█');
  });
});
