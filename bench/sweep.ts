import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, Runner, type Config } from '../core/index.ts';
import { backendContext } from '../core/testing/context.ts';
import { EPS, type Case, type Sample } from './cases.ts';
import { bundledPlugins } from './subject.ts';

/** The whole sweep as `robust run` does it: attack, verification, prediction and scores of every image. */
export async function sweep(wanted: Case, backend: NonNullable<Config['backend']>): Promise<Sample> {
  const { network, model, defenses, side, images, batch, dir } = wanted;
  const output = await mkdtemp(join(tmpdir(), 'robust-bench-'));
  const target: Config = {
    backend,
    batch,
    output,
    dataset: { use: 'chest-phantom', size: side, test: images },
    subjects: { [network]: { model, defenses: [...defenses], weights: dir } },
    eps: EPS,
    metrics: ['dice'],
    reporters: [],
    // The PyTorch loops do neither.
    audit: 'off',
    examples: 0,
  };
  const runner = new Runner({ ...backendContext(), cwd: output, bundledPlugins });
  const presets = new URL('../presets/', import.meta.url);
  const loaded = await loadConfig({ cwd: output, presets, target });
  const { cost, rows } = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
  await rm(output, { recursive: true, force: true });
  const scores = rows.map(({ values }) => values['dice'] ?? 0);
  return {
    seconds: cost.seconds,
    gradients: cost.gradients / images,
    value: scores.reduce((a, b) => a + b, 0) / scores.length,
  };
}
