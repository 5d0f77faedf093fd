import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, Runner, type Report } from '../../../core/index.ts';
import { temporaryFolder } from '../../../core/testing/index.ts';

const here = (path: string) => new URL(`../../../${path}/`, import.meta.url);
const log = { info: () => undefined, warn: () => undefined, debug: () => undefined };

/** Rows and adversarial images, cell by cell. */
interface Outcome {
  readonly report: Report;
  readonly images: ReadonlyMap<string, Buffer>;
}

async function run(backend: string, output: string, share: boolean): Promise<Outcome> {
  const target = {
    ...{ backend, share, output, batch: 2, seed: 3 },
    dataset: { use: 'chest-phantom', size: 32, train: 8, test: 3 },
    subjects: {
      unet: { model: { use: 'unet', width: 1 / 32 } },
      'unet+nlce': { model: { use: 'unet', width: 1 / 32 }, defenses: ['nlce'] },
    },
    eps: [0.5, 2, 6, 14],
    reporters: [],
    training: { epochs: 1 },
  };
  const signal = new AbortController().signal;
  const runner = new Runner({ cwd: output, bundledPlugins: here('plugins'), log, signal, cacheDir: output });
  const images = new Map<string, Buffer>();
  runner.hooks.verify.tap('test', ({ cell, ids, adversarial }) => {
    images.set(`${cell} ${ids.join()}`, Buffer.from(new Uint8Array(new Float32Array(adversarial).buffer)));
  });
  const loaded = await loadConfig({ cwd: output, presets: here('presets'), target });
  const report = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
  return { report, images };
}

/** Sharing changes no bit of U-Net and U-Net with NLCE on a backend, whether its steps are compiled or not. */
export function sharingSuite(backend: string): void {
  describe(`a shared sweep of U-Net and NLCE on ${backend}`, () => {
    let shared: Outcome;
    let apart: Outcome;
    beforeAll(async () => {
      const output = temporaryFolder();
      shared = await run(backend, output, true);
      apart = await run(backend, output, false);
    });

    it('makes the same adversarial images, bit for bit, as one that runs every budget apart', () => {
      expect([...shared.images.keys()]).toEqual([...apart.images.keys()]);
      const different = [...shared.images].filter(([key, bytes]) => !bytes.equals(apart.images.get(key)!));
      expect(different.map(([key]) => key)).toEqual([]);
    });

    it('scores them the same, with fewer gradients', () => {
      const scores = ({ report }: Outcome) => report.rows.map(({ gradients: _, ...row }) => row);
      expect(scores(shared)).toEqual(scores(apart));
      // Steps 1, 3, 8 and 18; together 15 on the trunk, and 1 and 3 alone.
      expect(apart.report.cost.gradients).toBe((1 + 3 + 8 + 18) * 3 * 2);
      expect(shared.report.cost.gradients).toBe((15 + 1 + 3) * 3 * 2);
    });
  });
}
