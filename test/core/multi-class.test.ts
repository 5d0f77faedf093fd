import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy, IGNORED, inverseMask, loadConfig, Runner, type Report } from '../../core/index.ts';
import { makeContext, temporaryFolder, toyNetwork } from '../../core/testing/index.ts';
import { fill, picture } from './images/support.ts';

/** Columns of the values 0, 1, 2 and 9; `shift` moves them. */
const column = (at: number, shift: number) => [0, 1, 2, 9][Math.floor(((at + shift) % 16) / 4)]!;

/** Six images in which the classes differ in brightness. */
async function files(): Promise<string> {
  const root = temporaryFolder();
  for (const shift of [0, 1, 2, 3, 4, 5]) {
    await fill(root, {
      [`images/${shift}.png`]: picture([16, 16, 1], (_row, at) => 30 + 80 * Math.min(2, column(at, shift))),
      [`masks/${shift}.png`]: picture([16, 16, 1], (_row, at) => column(at, shift)),
    });
  }
  return root;
}

describe('a run with three classes, one value ignored', () => {
  let report: Report;
  beforeAll(async () => {
    const output = temporaryFolder();
    const here = (path: string) => new URL(`../../${path}/`, import.meta.url);
    const dataset = {
      ...{ use: 'folder', root: await files(), size: 16, channels: 1, testFraction: 0.5 },
      ...{ classes: { 1: 'lung', 2: 'heart' }, ignore: 9 },
    };
    const loaded = await loadConfig({
      cwd: output,
      presets: here('presets'),
      target: {
        ...{ output, backend: 'wasm', dataset, eps: [64], batch: 2, reporters: ['json'] },
        subjects: { toy: { model: toyNetwork() }, prior: { model: 'prior' } },
        training: { epochs: 12, batch: 2, learningRate: 0.03, flips: true, rotation: 5 },
      },
    });
    const silent = { info: () => undefined, warn: () => undefined, debug: () => undefined };
    const runner = new Runner({
      ...{ cwd: output, bundledPlugins: here('plugins'), cacheDir: join(output, 'cache') },
      ...{ log: silent, signal: new AbortController().signal },
    });
    report = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
  });

  it('measures each class and their mean', () => {
    const names = new Set(report.curves.map(({ metric }) => metric));
    expect([...names].sort()).toEqual(
      ['dice', 'jaccard'].flatMap((name) => [name, `${name}:heart`, `${name}:lung`]).sort(),
    );
    for (const { values, confusion } of report.rows) {
      expect(confusion).toHaveLength(2);
      expect(values['dice']).toBeCloseTo((values['dice:lung']! + values['dice:heart']!) / 2, 12);
    }
  });

  it('counts the ignored quarter of the pixels nowhere', () => {
    for (const { confusion } of report.rows)
      for (const { tp, fp, fn, tn } of confusion) expect(tp + fp + fn + tn).toBe(192);
  });

  it('exchanges the outer classes under attack: the goal is the inverse mask', () => {
    const at = (eps: number) => report.rows.filter((row) => row.subject === 'toy' && row.eps === eps);
    const mean = (eps: number) =>
      at(eps).reduce((sum, { values }) => sum + values['dice:heart']!, 0) / at(eps).length;
    expect(at(64).every(({ linf }) => linf > 0)).toBe(true);
    expect(mean(64)).toBeLessThan(mean(0));
  });
});

describe('ignored pixels', () => {
  const mask = { shape: [1, 4] as const, data: Uint8Array.from([0, 1, 2, IGNORED]) };

  it('have no loss and no gradient, whichever way an attack goes', async () => {
    await makeContext();
    const truth = tf.tensor3d([...mask.data], [1, 1, 4], 'int32');
    const logits = tf.randomNormal<tf.Rank.R4>([1, 1, 4, 3], 0, 1, 'float32', 1);
    for (const goal of [truth, inverseMask(truth, 3)]) {
      const gradient = tf
        .grad((z) => crossEntropy(z as tf.Tensor4D, goal))(logits)
        .arraySync() as number[][][][];
      expect(gradient[0]![0]![3]!.map(Math.abs)).toEqual([0, 0, 0]);
      expect(
        gradient[0]![0]!
          .slice(0, 3)
          .flat()
          .every((value) => value !== 0),
      ).toBe(true);
    }
    tf.dispose([truth, logits]);
  });
});
