import { describe, expect, it } from 'vitest';
import { createHooks } from '../../../core/hooks.ts';
import { IGNORED, resolveOptions, type Row, type Sample } from '../../../core/index.ts';
import { installPlugin } from '../../../core/install.ts';
import { makeRandom } from '../../../core/random.ts';
import { BatchMetrics, confusions } from '../../../core/sweep/measure.ts';
import type { Prediction } from '../../../core/sweep/predict.ts';
import { bundled } from '../../contract/bundled.ts';

const classes = ['background', 'lung', 'heart'];
const plugins = await bundled('metric');
const hooks = createHooks();
for (const plugin of plugins) installPlugin(hooks, plugin);
const metrics = plugins.map((plugin) => ({ plugin, options: resolveOptions(plugin) }));

const [height, width, kept] = [12, 14, 10];

/** Values at (row, column), row by row. */
const grid = (columns: number, value: (row: number, column: number) => number) =>
  Array.from({ length: height * columns }, (_, i) => value(Math.floor(i / columns), i % columns));

/** Bands of the three classes; `shift` moves them. */
const bands = (shift: number) => (row: number, column: number) => Math.floor((row + column + shift) / 4) % 3;

/** An image of `columns` whose columns from `kept` on are to be ignored, and what is said there is noise. */
function measured(columns: number, noise: number): Pick<Row, 'values' | 'confusion'> {
  const random = makeRandom(noise)('noise');
  const or = (value: (row: number, column: number) => number, other: () => number) =>
    grid(columns, (row, column) => (column < kept ? value(row, column) : other()));
  const truth = or(bands(0), () => IGNORED);
  const image = { shape: [height, columns, 1] as const, data: new Float32Array(truth.length) };
  const sample: Sample = {
    ...{ id: 's', image, spacing: [0.8, 0.5] },
    mask: { shape: [height, columns], data: Uint8Array.from(truth) },
  };
  const labels = Uint8Array.from(or(bands(1), () => random.below(3)));
  const goals = Int32Array.from(or(bands(2), () => random.below(3)));
  const probabilities = Float32Array.from(
    [...labels].flatMap((label) => [0, 1, 2].map((k) => (k === label ? 0.7 : 0.15))),
  );
  const prediction: Prediction = { labels, probabilities };
  return new BatchMetrics(metrics, hooks, [sample], classes).measure(0, prediction, goals);
}

describe('the bundled metrics', () => {
  const cropped = measured(kept, 1);

  it('see an image whose margin is ignored as they see it without the margin, whatever is said there', () => {
    expect(metrics.length).toBeGreaterThan(12);
    expect(Object.values(cropped.values)).not.toContain(null);
    for (const noise of [1, 2]) expect(measured(width, noise)).toEqual(cropped);
  });

  it('are measured for each of several classes, beside their mean', () => {
    for (const { plugin } of metrics) {
      const of = (name: string) => cropped.values[name]!;
      const mean = (of(`${plugin.name}:lung`) + of(`${plugin.name}:heart`)) / 2;
      expect(of(plugin.name), plugin.name).toBeCloseTo(mean, 12);
    }
  });

  it('have no value where every pixel is ignored and none may be empty', () => {
    const data = new Uint8Array(4).fill(IGNORED);
    const image = { shape: [2, 2, 1] as const, data: new Float32Array(4) };
    const batch = new BatchMetrics(
      metrics,
      hooks,
      [{ id: 's', image, mask: { shape: [2, 2], data } }],
      classes,
    );
    const { values } = batch.measure(0, { labels: new Uint8Array(4).fill(1) });
    expect([values['accuracy'], values['dice']]).toEqual([null, 1]);
  });
});

describe('a sample with a reference of another size', () => {
  const rows = <T>(count: number, row: readonly T[]) => Array.from({ length: count }, () => row).flat();
  const measure = (mask: Sample['mask'], reference: Sample['reference'], p: readonly number[]) => {
    const [height, width] = mask.shape;
    const image = { shape: [height, width, 1] as const, data: new Float32Array(height * width) };
    const sample: Sample = { id: 's', image, mask, ...(reference && { reference }), spacing: [1, 2] };
    const prediction = {
      labels: Uint8Array.from(p, (value) => Number(value > 0.5)),
      probabilities: Float32Array.from(p),
    };
    const goals = Int32Array.from(prediction.labels, (label) => 1 - label);
    return new BatchMetrics(metrics, hooks, [sample], classes.slice(0, 2)).measure(0, prediction, goals);
  };
  const small = { shape: [2, 4] as const, data: Uint8Array.from(rows(2, [1, 1, 0, 0])) };
  const native = { shape: [4, 8] as const, data: Uint8Array.from(rows(4, [1, 1, 1, 1, 1, 0, 0, 0])) };
  const scored = measure(small, native, rows(2, [0.9, 0.9, 0.1, 0.1]));

  it('is scored at that size', () => {
    expect(scored.confusion).toEqual([{ tp: 16, fp: 0, fn: 4, tn: 12 }]);
    expect(scored.values['dice']).toBeCloseTo(32 / 36, 12);
  });

  it('has masks, goal and probabilities interpolated to it', () => {
    const byHand = rows(4, [0.9, 0.9, 0.9, 0.7, 0.3, 0.1, 0.1, 0.1]);
    const expected = measure(native, undefined, byHand);
    for (const [name, value] of Object.entries(expected.values)) {
      if (value === null) expect(scored.values[name], name).toBeNull();
      else expect(scored.values[name], name).toBeCloseTo(value, 6);
    }
  });
});

describe('confusions', () => {
  it('leave out what is to be ignored', () => {
    const [lung, heart] = confusions([1, 1, 1, 2], [0, 1, 2, IGNORED], 3);
    expect(lung).toEqual({ tp: 1, fp: 2, fn: 0, tn: 0 });
    expect(heart).toEqual({ tp: 0, fp: 0, fn: 1, tn: 2 });
  });
});
