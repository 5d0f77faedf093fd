import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Plan } from '../../core/index.ts';
import { robust } from '../cli/support.ts';
import { root } from '../source.ts';

/** The experiments of the paper; the others are studies of their own. */
const papers = readdirSync(`${root}/presets`)
  .map((file) => file.replace('.ts', ''))
  .filter((name) => /^(jsrt|isbi)-(?!small)/.test(name));

const plan = async (preset: string, ...flags: string[]): Promise<Plan> => {
  const argv = ['plan', `preset:${preset}`, '--phantom', '--backend', 'wasm', '--json', ...flags];
  const { code, stdout, stderr } = await robust(argv);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Plan;
};

test('every figure of the paper has its preset', () => {
  expect(papers.sort()).toEqual([
    'isbi-comparison',
    'isbi-qualitative',
    'jsrt-ablation',
    'jsrt-comparison',
    'jsrt-generalization',
    'jsrt-qualitative',
  ]);
});

test.each(papers)('%s runs without data, at both scales', async (preset) => {
  const [paper, small] = [await plan(preset), await plan(preset, '--scale', 'small')];
  const subjects = ({ cells }: Plan) => [...new Set(cells.map(({ subject }) => subject))];
  expect(subjects(small)).toEqual(subjects(paper));
  expect(subjects(paper)).toContain('prior');
  expect(small.images).toBeLessThanOrEqual(paper.images);
});

test.each(['jsrt-comparison', 'isbi-comparison', 'jsrt-ablation', 'jsrt-generalization'])(
  '%s has the 18 intensities of the paper, and 69 gradients an image',
  async (preset) => {
    const { cells } = await plan(preset, '--filter', 'prior/');
    expect(cells.map(({ eps }) => eps)).toEqual([0.5, 1, ...Array.from({ length: 16 }, (_, i) => 2 * i + 2)]);
    expect(cells.reduce((sum, { gradients }) => sum + gradients!, 0)).toBe(69);
  },
);

type Subjects = Record<string, { model: unknown; weightsFrom?: string; training?: { freeze?: string[] } }>;

async function subjectsOf(preset: string, ...flags: string[]): Promise<Subjects> {
  const { stdout } = await robust(['plan', `preset:${preset}`, '--print-config', '--json', ...flags]);
  return (JSON.parse(stdout) as { value: { subjects: Subjects } }).value.subjects;
}

test.each(['paper', 'small'])(
  'at scale %s a network with NLCE is otherwise the one without',
  async (scale) => {
    const subjects = await subjectsOf('jsrt-generalization', '--scale', scale);
    const pairs = Object.entries(subjects).filter(([name]) => name.endsWith('+nlce'));
    expect(pairs).toHaveLength(5);
    for (const [name, { model }] of pairs) expect(model).toEqual(subjects[name.replace('+nlce', '')]!.model);
  },
);

test('the ablation freezes what the network without NLCE has learnt', async () => {
  const steps = Object.entries(await subjectsOf('jsrt-ablation')).map(([name, { weightsFrom, training }]) => [
    name,
    weightsFrom,
    training?.freeze !== undefined,
  ]);
  expect(steps).toEqual([
    ['wo-nlce', undefined, false],
    ['wo-nl', 'wo-nlce', true],
    ['wo-ce', 'wo-nlce', true],
    ['nlcen', 'wo-nlce', true],
    ['fine-tuned', 'nlcen', false],
    ['prior', undefined, false],
  ]);
});
