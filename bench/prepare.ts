import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveWeights } from '../core/models/weights.ts';
import type { NetworkPlugin, Plugin } from '../core/plugin.ts';
import { samplesOf } from '../core/testing/batches.ts';
import { makeContext } from '../core/testing/context.ts';
import { sizes, type Case } from './cases.ts';
import { buildCase, registry } from './subject.ts';

/** Networks that are measured: every bundled one, and the U-Net with the defense that changes its architecture. */
export async function listNetworks(): Promise<string[]> {
  const models = await registry.list('model');
  return [...models.filter(isNetwork).map(({ name }) => name), 'unet+nlce'];
}

function isNetwork(plugin: Plugin): plugin is NetworkPlugin {
  return 'build' in plugin;
}

/** Writes weights, images and masks of a case for all peers. */
export async function prepareCase(network: string, size: string): Promise<Case> {
  const [use, ...defenses] = network.split('+') as [string, ...string[]];
  const plugin = await registry.resolve('model', use);
  const { width, ...rest } = sizes[size]!;
  const model = 'width' in plugin.options ? { use, width } : { use };
  const dir = await mkdtemp(join(tmpdir(), `robust-bench-${size}-`));
  const ctx = await makeContext({ backend: 'cpu', seed: 1 });
  const built = await buildCase({ model, defenses, side: rest.side });
  const { outputs } = built;
  const made: Case = { network, size, model, defenses, outputs, width, ...rest, dir };
  await saveWeights(built.model, dir);
  built.dispose();
  const options = { size: made.side, channels: 1, train: 0, test: made.images };
  const data = await registry.open('dataset', { use: 'chest-phantom', ...options }, { path: '' });
  const samples = await samplesOf((await data.plugin.load(data.options, ctx)).test);
  const pixels = samples.flatMap(({ image }) => [...image.data]);
  const classes = samples.flatMap(({ mask }) => [...mask.data]);
  await writeFile(join(dir, 'images.f32'), Float32Array.from(pixels));
  await writeFile(join(dir, 'masks.i32'), Int32Array.from(classes));
  return made;
}
