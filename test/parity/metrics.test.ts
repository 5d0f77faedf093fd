import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MaskPair, MetricPlugin } from '../../core/index.ts';
import { resolveOptions } from '../../core/index.ts';
import { maskPair } from '../../core/testing/index.ts';
import { bundled } from '../contract/bundled.ts';

interface Case {
  readonly shape: [number, number];
  /** Masks as text of 0 and 1. */
  readonly prediction: string;
  readonly truth: string;
  readonly probability: number[];
  readonly spacing: [number, number] | null;
  readonly values: Record<string, number>;
}

// How the numbers came to be: fixtures/parity/generate/metrics.py and the provenance inside the file.
const path = new URL('../../fixtures/parity/metrics.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Record<string, Case> };
const plugins = new Map<string, MetricPlugin>(
  (await bundled('metric')).map((plugin) => [plugin.name, plugin]),
);

/** Names of golden values that are not a metric with its defaults. */
const variants: Record<string, readonly [metric: string, options: Record<string, unknown>]> = {
  'hd95 directed': ['hd95', { variant: 'directed' }],
  'hd95 pooled': ['hd95', { variant: 'pooled' }],
  'assd by MONAI': ['assd', {}],
};

function pairOf({ shape, prediction, truth, probability, spacing }: Case): MaskPair {
  const pair = maskPair(shape, [...prediction].map(Number), [...truth].map(Number));
  return { ...pair, probability: Float32Array.from(probability), ...(spacing && { spacing }) };
}

describe('against MONAI, medpy and SciPy', () => {
  it.each(Object.entries(cases))('%s', (_, one) => {
    const pair = pairOf(one);
    for (const [name, expected] of Object.entries(one.values)) {
      const [metric, options] = variants[name] ?? [name, {}];
      const plugin = plugins.get(metric)!;
      const value = plugin.measure(pair, resolveOptions(plugin, options));
      // MONAI computes in float32.
      expect(Math.abs(value - expected), `${name}: ${value} instead of ${expected}`).toBeLessThan(2e-6);
    }
  });

  it('covers every metric but those that follow from another one or from no library', () => {
    const covered = Object.keys(Object.values(cases)[0]!.values).map((name) => variants[name]?.[0] ?? name);
    const rest = [...plugins.keys()].filter((name) => !covered.includes(name));
    expect(rest).toEqual(['goal-agreement', 'thresholded-jaccard']);
  });
});
