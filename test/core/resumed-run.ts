/**
 * A small run whose process can be made to die in the middle: `resumed-run.ts OUTPUT training|sweep|never`. One that
 * lives prints what it did.
 */
import {
  defineDataset,
  definePlugin,
  loadConfig,
  Runner,
  type Config,
  type Hooks,
  type Report,
} from '../../core/index.ts';
import { toyNetwork } from '../../core/testing/toy-network.ts';
import { tinyDataset } from '../../core/testing/toys.ts';

const here = (path: string) => new URL(`../../${path}/`, import.meta.url);

const tiny = defineDataset({
  name: 'tiny',
  summary: 'Rectangles.',
  options: {},
  load: async () => tinyDataset({ test: 5 }),
});

/** Two subjects, three batches each, the last one padded. */
async function resumableRun(output: string, tap: (hooks: Hooks) => void, more: Config = {}): Promise<Report> {
  const runner = new Runner({
    ...{ cwd: output, cacheDir: output, bundledPlugins: here('plugins') },
    log: { info: () => undefined, warn: () => undefined, debug: () => undefined },
    signal: new AbortController().signal,
  }).use(definePlugin({ name: 'test', apply: ({ hooks }) => tap(hooks) }));
  const network = toyNetwork();
  const config: Config = {
    ...{ output, backend: 'wasm', dataset: tiny, reporters: ['json'], batch: 2, eps: [1, 2] },
    subjects: { one: { model: network }, two: { model: network, training: { learningRate: 0.01 } } },
    training: { epochs: 3, batch: 2 },
    ...more,
  };
  const loaded = await loadConfig({ cwd: output, presets: here('presets'), target: config });
  return runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
}

/** A run, the images of every candidate that it made itself, and the epochs that it trained. */
export interface Watched {
  readonly report: Report;
  readonly attacked: readonly string[];
  readonly epochs: readonly string[];
}

export async function watchRun(
  output: string,
  more?: Config,
  tap?: (hooks: Hooks) => void,
): Promise<Watched> {
  const attacked: string[] = [];
  const epochs = new Set<string>();
  const watch = (hooks: Hooks) => {
    hooks.verify.tap('watch', ({ cell, ids }) => void attacked.push(`${cell} ${ids.join()}`));
    hooks.training.tap('watch', ({ subject, epoch }) => void epochs.add(`${subject} ${epoch}`));
    tap?.(hooks);
  };
  const report = await resumableRun(output, watch, more);
  return { report, attacked, epochs: [...epochs] };
}

const die = () => process.kill(process.pid, 'SIGKILL');

const deaths: Readonly<Record<string, (hooks: Hooks) => void>> = {
  training: ({ training }) =>
    training.tap('die', ({ epoch, step }) => void (epoch === 2 && step === 2 && die())),
  // In the middle of the second batch: its first budget is scored already.
  sweep: ({ verify }) =>
    verify.tap('die', ({ ids, budget }) => void (ids.includes('test-2') && budget.eps === 2 && die())),
  never: () => undefined,
};

const [output, place] = process.argv.slice(2);
const death = deaths[place ?? ''];
if (death) process.stdout.write(JSON.stringify(await watchRun(output!, {}, death)));
