/** Trains and attacks on one backend: `growth-child.ts BACKEND BATCHES SIZE`. Prints what was held on the way. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { loadConfig, Runner, type Config } from '../../../core/index.ts';
import { backendContext, temporaryFolder } from '../../../core/testing/context.ts';

/** After a step, with all garbage collected. */
export interface Held {
  readonly tensors: number;
  /** Bytes of the process, and those of JavaScript objects and array buffers among them. */
  readonly rss: number;
  readonly objects: number;
}

export interface Growth {
  readonly training: readonly Held[];
  readonly sweep: readonly Held[];
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function held(): Held {
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { tensors: tf.memory().numTensors, rss, objects: heapUsed + arrayBuffers };
}

const [backend, [batches, size]] = [process.argv[2]!, process.argv.slice(3).map(Number) as [number, number]];
const output = temporaryFolder();
const target: Config = {
  ...{ backend, output, reporters: [], audit: 'off', eps: [1, 2], batch: 4, examples: 0 },
  dataset: { use: 'chest-phantom', size, train: 8, test: 4 * batches },
  subjects: { unet: { model: { use: 'unet', width: 1 / 16, depth: 2 } } },
  training: { epochs: batches / 2, batch: 4 },
};
const bundledPlugins = new URL('../../../plugins/', import.meta.url);
const runner = new Runner({ ...backendContext(), cwd: output, bundledPlugins });
const [training, sweep]: [Held[], Held[]] = [[], []];
/** Collecting takes longer than a step. */
const EVERY = 4;
let events = 0;
const watch = (series: Held[]) => {
  if (events++ % EVERY === 0) series.push(held());
};
runner.hooks.training.tap('growth', () => watch(training));
runner.hooks.progress.tap('growth', () => watch(sweep));
const loaded = await loadConfig({ cwd: output, presets: new URL('presets/', bundledPlugins), target });
await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
const growth: Growth = { training, sweep };
process.stdout.write(JSON.stringify(growth), () => process.exit());
