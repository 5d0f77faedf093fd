import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { keepExamples } from '../../../core/examples/index.ts';
import {
  readExample,
  Runner,
  type Example,
  type Report,
  type Row,
  type Sample,
} from '../../../core/index.ts';
import type { Evaluation } from '../../../core/sweep/request.ts';
import { temporaryFolder, tinyDataset } from '../../../core/testing/index.ts';

const dataset = tinyDataset({ test: 5 });
const samples = await Promise.all(dataset.test.ids.map((_, index) => dataset.test.get(index)));
const attack = 'push';
const levels = [0.5, 4];
const cells = levels.map((eps) => ({ subject: 'toy', attack, eps }));
/** Dice under the largest eps; everything scores 0.9 before. */
const scores = [0.5, 0.1, 0.3, 0.1, null];

function row(index: number, eps: number): Row {
  const { id } = samples[index]!;
  const dice = eps === 0 ? 0.9 : eps === 4 ? scores[index]! : 0.7;
  return {
    cell: `toy/${eps}`,
    subject: 'toy',
    attack: eps === 0 ? 'clean' : attack,
    eps,
    sample: id,
    group: id,
    linf: eps,
    gradients: 1,
    values: { dice },
    confusion: [],
  };
}

const pushed = ({ image }: Sample, eps: number) => image.data.map((value) => value + eps);

function evaluation(indices: readonly number[], eps: number): Evaluation {
  const own = indices.map((index) => samples[index]!);
  const masks = own.map(({ mask }) => [...mask.data].map((value) => (eps === 4 ? 1 - value : value)));
  return {
    subject: 'toy',
    fingerprint: 'print',
    attack: eps === 0 ? 'clean' : attack,
    eps,
    samples: own,
    adversarial: Float32Array.from(own.flatMap((sample) => [...pushed(sample, eps)])),
    predictions: Uint8Array.from(masks.flat()),
    rows: indices.map((index) => row(index, eps)),
  };
}

interface Setting {
  dir?: string;
  better?: 'higher' | 'lower';
}

/** What a run over these batches keeps of all five images. */
async function keep(
  batches: readonly number[][],
  { dir = temporaryFolder(), better = 'higher' }: Setting = {},
) {
  const log = { info: () => undefined, warn: () => undefined, debug: () => undefined };
  const { hooks } = new Runner({
    cwd: dir,
    cacheDir: dir,
    bundledPlugins: new URL('../../../plugins/', import.meta.url),
    log,
    signal: new AbortController().signal,
  }).use(
    keepExamples({ count: 2, dir, metric: { name: 'dice', better }, dataset, plan: { cells } as never }),
  );
  for (const batch of batches)
    for (const eps of [0, ...levels]) await hooks.evaluated.promise(evaluation(batch, eps));
  const rows = [0, ...levels].flatMap((eps) => samples.map((_, index) => row(index, eps)));
  const subjects = [{ name: 'toy', fingerprint: 'print' }];
  const report = hooks.summarize.call({ rows, subjects } as never as Report);
  return { dir, examples: report.examples! };
}

const names = (examples: readonly Example[]) => [...new Set(examples.map(({ sample }) => sample))];

describe('example images', () => {
  it('are those with the largest loss at the largest eps, under every budget', async () => {
    const { examples } = await keep([[0, 1], [2, 3], [4]]);
    // Two images share the largest loss: their ids decide.
    expect(examples.map(({ sample, eps }) => [sample, eps])).toEqual(
      ['test-1', 'test-3'].flatMap((id) => [0, 0.5, 4].map((eps) => [id, eps])),
    );
    expect((await keep([[4], [3, 2, 1, 0]])).examples).toEqual(examples);
    expect(names((await keep([[0, 1, 2, 3, 4]], { better: 'lower' })).examples)).toEqual([
      'test-0',
      'test-2',
    ]);
  });

  it('lie in the run folder without loss, half grey levels in sixteen bits', async () => {
    const { dir, examples } = await keep([
      [0, 1, 2],
      [3, 4],
    ]);
    const read = async (file: string) => {
      const image = sharp(join(dir, file));
      const { depth } = await image.metadata();
      const { data } = await image
        .toColourspace(depth === 'ushort' ? 'rgb16' : 'srgb')
        .raw({ depth: 'ushort' })
        .toBuffer({ resolveWithObject: true });
      return [...new Uint16Array(new Uint8Array(data).buffer)].filter((_, at) => at % 3 === 0);
    };
    const [clean, half, whole] = examples as [Example, Example, Example];
    const sample = samples[1]!;
    expect(await read(clean.adversarial)).toEqual([...sample.image.data]);
    expect(await read(whole.adversarial)).toEqual([...pushed(sample, 4)]);
    expect(await read(half.adversarial)).toEqual([...pushed(sample, 0.5)].map((value) => value * 256));
    const back = await readExample(join(dir, half.adversarial), 1, dataset.domain);
    expect([...back.data]).toEqual([...pushed(sample, 0.5)]);
    const white = [...sample.mask.data].map((value) => 255 * value);
    expect(await read(whole.truth)).toEqual(white);
    expect(await read(half.prediction)).toEqual(white);
    expect(await read(whole.prediction)).toEqual(white.map((value) => 255 - value));
  });

  it('leave nothing behind of images that others displaced', async () => {
    const { dir, examples } = await keep([[0, 2], [1, 3], [4]]);
    const files = examples.flatMap(({ image, truth, adversarial, prediction }) => [
      image,
      truth,
      adversarial,
      prediction,
    ]);
    expect(readdirSync(join(dir, 'examples')).sort()).toEqual(
      [...new Set(files)].map((file) => file.replace('examples/', '')).sort(),
    );
  });

  it('of a run that goes on are found in the run folder', async () => {
    const { examples } = await keep([[0, 1, 2, 3, 4]]);
    const { dir } = await keep([[0, 1]]);
    expect((await keep([[2, 3, 4]], { dir })).examples).toEqual(examples);
    // What was never kept cannot be shown: nothing is made up.
    expect(names((await keep([[0, 3]])).examples)).toEqual(['test-3']);
  });
});
