import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { checks } from '../../core/audit/checks/index.ts';
import {
  defineBackend,
  defineDataset,
  defineDefense,
  defineNetwork,
  definePlugin,
  loadConfig,
  reportSchema,
  Runner,
  type Config,
  type Hooks,
  type Report,
} from '../../core/index.ts';
import { temporaryFolder, tinyDataset, toyNetwork } from '../../core/testing/index.ts';

const here = (path: string) => new URL(`../../${path}/`, import.meta.url);
const screen = { print: () => undefined, columns: 80, colour: false };

const tiny = defineDataset({
  name: 'tiny',
  summary: 'Rectangles.',
  options: { test: { description: 'Test images.', type: 'integer', default: 3 } },
  load: async (options) => {
    const { test, ...rest } = tinyDataset(options);
    const get = async (index: number) => ({ ...(await test.get(index)), metadata: { age: 40 + index } });
    return { ...rest, test: { ...test, get } };
  },
});

function config(more: Partial<Config> = {}): Config {
  return {
    backend: 'wasm',
    batch: 2,
    dataset: tiny,
    subjects: { toy: { model: toyNetwork() } },
    eps: [2, 8],
    reporters: ['json'],
    training: { epochs: 2, batch: 2 },
    ...more,
  };
}

interface Setting {
  output?: string;
  signal?: AbortSignal;
  tap?: (hooks: Hooks) => void;
}

async function run(
  more: Partial<Config> = {},
  setting: Setting = {},
): Promise<{ report: Report; output: string }> {
  const output = setting.output ?? temporaryFolder();
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (text: string) => void warnings.push(text),
    debug: () => undefined,
  };
  const runner = new Runner({
    cwd: output,
    bundledPlugins: here('plugins'),
    log,
    signal: setting.signal ?? new AbortController().signal,
    cacheDir: output,
  });
  if (setting.tap) runner.use(definePlugin({ name: 'test', apply: ({ hooks }) => setting.tap!(hooks) }));
  const loaded = await loadConfig({
    cwd: output,
    presets: here('presets'),
    target: config({ output, ...more }),
  });
  return { report: await runner.run(loaded, screen), output };
}

/** A report without what may differ between equal runs. */
function timeless(report: Report): unknown {
  return JSON.parse(
    JSON.stringify(report, (key, value: unknown) =>
      /^(seconds|startedAt|configuration|origins|memory)$/.test(key) ? 0 : value,
    ),
  );
}

describe('a run', () => {
  let first: { report: Report; output: string };
  beforeAll(async () => {
    first = await run();
  });

  it('copies what the data set tells about an image into its rows', () => {
    const told = first.report.rows.map(({ sample, metadata }) => [sample, metadata]);
    expect(told).toContainEqual(['test-1', { age: 41 }]);
  });

  it('writes a report that fits its schema', () => {
    const written = JSON.parse(readFileSync(join(first.output, 'report.json'), 'utf8')) as Report;
    const validate = new Ajv({ allErrors: true, strict: false }).compile(reportSchema);
    expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
    expect(written).toEqual(JSON.parse(JSON.stringify(first.report)));
  });

  it('has a curve per subject, attack and metric, with the clean score at eps 0', () => {
    expect(first.report.curves.map(({ metric }) => metric)).toEqual(['dice', 'jaccard']);
    for (const { points } of first.report.curves) expect(points.map(({ eps }) => eps)).toEqual([0, 2, 8]);
  });

  it('keeps pictures of the images that suffered most', async () => {
    const { examples } = first.report;
    // Three images, clean and under two budgets.
    expect(examples).toHaveLength(3 * 3);
    for (const { adversarial, prediction } of examples!)
      for (const file of [adversarial, prediction]) expect(existsSync(join(first.output, file))).toBe(true);
    const none = await run({ examples: 0 });
    expect(none.report.examples).toBeUndefined();
    expect(existsSync(join(none.output, 'examples'))).toBe(false);
  });

  it('says whether its numbers can be trusted, unless it is told not to', async () => {
    const { audit } = first.report;
    const quick = checks.filter(({ level }) => level === 'quick').map(({ name }) => name);
    expect(audit!.map(({ check }) => check)).toEqual(quick);
    expect(audit).toContainEqual(
      expect.objectContaining({ check: 'sign-test', subject: 'toy', attack: 'targeted-ifgsm' }),
    );
    const { report } = await run({ audit: 'off' }, { output: first.output });
    expect(report.audit).toBeUndefined();
  });

  it('runs the checks that take long only when asked to, with the attacks that they bring', async () => {
    const auditAttacks = [{ use: 'square', queries: 3 }];
    const { report } = await run({ audit: 'full', auditAttacks }, { output: first.output });
    expect(report.audit!.map(({ check }) => check)).toEqual(checks.map(({ name }) => name));
    const said = (name: string) => report.audit!.find(({ check }) => check === name);
    expect(said('black-box')!.message).toContain('under square');
    expect(said('restarts')).toMatchObject({ verdict: 'not-run' });
  });

  it('counts its cost and says what ran where', () => {
    // eps 2: 3 steps; eps 8: 10, of which 3 are shared.
    expect(first.report.cost).toMatchObject({ gradients: 10 * 3, forwards: 3 * 3 });
    expect(first.report.engine.backend).toBe('wasm');
    expect(first.report.origins['training.patience']).toBe('default');
  });

  it('is the same again in another folder, and reuses weights in the same one', async () => {
    const again = await run();
    expect(timeless(again.report)).toEqual(timeless(first.report));
    let trained = 0;
    const reused = await run(
      {},
      { output: first.output, tap: (hooks) => hooks.training.tap('count', () => trained++) },
    );
    expect(trained).toBe(0);
    expect(timeless(reused.report)).toEqual(timeless(first.report));
  });

  it('chooses a batch size when asked to, keeps it and tells it', async () => {
    const { report, output } = await run({ batch: 'auto' });
    expect(report.subjects[0]!.batch).toBe(4);
    expect((await run({ batch: 4 })).report.rows).toEqual(report.rows);
    const again = await run({ batch: 'auto', memoryLimit: 1 }, { output });
    expect(again.report.subjects[0]!.batch).toBe(4);
    expect((await run({ batch: 'auto', memoryLimit: 1 })).report.subjects[0]!.batch).toBe(1);
  });

  it('tells its memory, and holds no more tensors after more images', async () => {
    const long = { use: tiny, test: 24 };
    const tensors = [];
    for (const dataset of [long, tiny, long]) {
      const { memory } = (await run({ dataset })).report;
      expect(memory!.peakBytes).toBeGreaterThan(1e7);
      tensors.push(memory!.tensors);
    }
    expect(new Set(tensors.slice(1)).size).toBe(1);
  });

  it('limits images without changing the others', async () => {
    const { report } = await run({ limit: 1 }, { output: first.output });
    expect(report.rows).toEqual(first.report.rows.filter(({ sample }) => sample === 'test-0'));
  });

  it('takes given weights as they are', async () => {
    const weights = join(first.output, 'subjects', 'toy', 'weights');
    const { report } = await run({ subjects: { toy: { model: toyNetwork(), weights } } });
    expect(report.subjects[0]!.fingerprint).toBe(first.report.subjects[0]!.fingerprint);
  });

  it('runs only the cells that a filter leaves', async () => {
    const { report } = await run({ filter: '/8' }, { output: first.output });
    expect(new Set(report.rows.map(({ eps }) => eps))).toEqual(new Set([0, 8]));
    await expect(run({ filter: 'nothing' })).rejects.toMatchObject({ code: 'FILTER_EMPTY' });
  });

  it('ends early with a valid report when it is interrupted', async () => {
    const abort = new AbortController();
    const tap = (hooks: Hooks) => hooks.progress.tap('test', () => abort.abort());
    const { report, output } = await run({}, { output: first.output, signal: abort.signal, tap });
    expect(report.status).toBe('interrupted');
    expect(report.dataset.images).toBe(2);
    expect(existsSync(join(output, 'report.json'))).toBe(true);
  });
});

describe('a subject that sees tiles', () => {
  const dataset = { use: 'chest-phantom', size: 16, train: 4, test: 2 };
  const toy = { model: toyNetwork() };

  it('scores as it does on whole images when the overlap holds what a pixel depends on', async () => {
    const whole = await run({ dataset, subjects: { toy } });
    const weights = join(whole.output, 'subjects', 'toy', 'weights');
    const tile = { size: 8, overlap: 2 };
    const { report } = await run({ dataset, subjects: { toy: { ...toy, weights, tile } } });
    expect(report.subjects[0]!.fingerprint).not.toBe(whole.report.subjects[0]!.fingerprint);
    for (const [i, { eps, values, confusion }] of report.rows.entries()) {
      const expected = whole.report.rows[i]!;
      if (eps === 0) expect(confusion).toEqual(expected.confusion);
      expect(Math.abs(values['dice']! - expected.values['dice']!)).toBeLessThan(0.02);
    }
  });

  it('must come with its weights', async () => {
    const attempt = run({ dataset, subjects: { toy: { ...toy, tile: { size: 8 } } } });
    await expect(attempt).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('a subject that starts from another one', () => {
  const model = toyNetwork(['features', 'more']);
  const grown = defineDefense({
    ...{ name: 'grown', summary: 'A layer more.', options: {} },
    transform: ({ name, features }, _, { tf }) =>
      tf.layers
        .conv2d({ name: `${name}_grown`, filters: features.shape[3]!, kernelSize: 1 })
        .apply(features) as typeof features,
  });
  const training = { epochs: 1, batch: 2, learningRate: 0.01 };
  const frozen = { freeze: ['*', '!*_grown'] };

  it('is trained after it, whatever their order, and keeps what is frozen', async () => {
    const subjects = {
      second: { model, defenses: [grown], weightsFrom: 'first', training: frozen },
      first: { model },
    };
    const order: string[] = [];
    const tap = (hooks: Hooks) => hooks.training.tap('test', ({ subject }) => void order.push(subject));
    const { report, output } = await run({ subjects, training, eps: [2], limit: 1 }, { tap });
    expect(order).toEqual(['first', 'first', 'second', 'second']);
    expect(report.subjects.map(({ name }) => name)).toEqual(['second', 'first']);
    expect(report.subjects.map((subject) => subject.training)).toMatchObject([
      [{ epoch: 1, validation: null }],
      [{ epoch: 1, learningRate: 0.01 }],
    ]);
    const weights = async (name: string) => {
      const dir = join(output, 'subjects', name, 'weights');
      const { weightsManifest } = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8')) as {
        weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[];
      };
      const bytes = readFileSync(join(dir, weightsManifest[0]!.paths[0]!));
      let at = 0;
      return new Map(
        weightsManifest[0]!.weights.map(({ name: key, shape }) => {
          const from = at;
          at += 4 * shape.reduce((a, b) => a * b, 1);
          return [key, bytes.subarray(from, at).toString('hex')];
        }),
      );
    };
    const [first, second] = [await weights('first'), await weights('second')];
    expect([...second.keys()].filter((key) => key.includes('grown'))).toHaveLength(4);
    for (const [key, value] of first) expect(second.get(key)).toBe(value);
  });

  it.each([
    [{ a: { model, weightsFrom: 'b' } }, "There is no subject 'b'"],
    [{ a: { model, weightsFrom: 'b' }, b: { model, weightsFrom: 'a' } }, 'start from each other'],
  ])('must name one that is there and does not start from it', async (subjects, message) => {
    await expect(run({ subjects })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message) as string,
    });
  });

  it('must have something in common with it', async () => {
    const other = defineNetwork({
      ...toyNetwork(),
      name: 'other',
      build: (input, _, ctx) => {
        const first = ctx.tf.layers.conv2d({ name: 'unlike', filters: 2, kernelSize: 1 });
        return first.apply(input.tap('features', input.image)) as typeof input.image;
      },
    });
    const subjects = { a: { model }, b: { model: other, weightsFrom: 'a' } };
    await expect(run({ subjects, training })).rejects.toMatchObject({ code: 'WEIGHTS_INVALID' });
  });
});

describe('hooks', () => {
  it('let a plugin wrap what another made', async () => {
    const tap = (hooks: Hooks) => hooks.metric.for('dice').tap('half', (value) => value / 2);
    const { report } = await run({}, { tap });
    expect(Math.max(...report.rows.map(({ values }) => values['dice']!))).toBeLessThanOrEqual(0.5);
  });

  it('list what exists when asked for what does not', () => {
    const { hooks } = new Runner({
      ...{ cwd: '.', cacheDir: '.' },
      bundledPlugins: here('plugins'),
      log: console,
      signal: AbortSignal.abort(),
    });
    expect(() => (hooks as never)['cellEnded']).toThrow(expect.objectContaining({ code: 'HOOK_UNKNOWN' }));
    expect(() => (hooks as never)['atack']).toThrow(/did you mean 'attack'\?.*dataset/);
  });
});

describe('several defenses', () => {
  it('see the image in the order in which they are listed', async () => {
    const seen: string[] = [];
    const defense = (name: string) =>
      defineDefense({
        ...{ name, summary: 'Notes its turn.', options: {} },
        input: (x) => (seen.push(name), x),
      });
    const subjects = { toy: { model: toyNetwork(), defenses: [defense('one'), defense('two')] } };
    await run({ subjects, eps: [2], limit: 1 });
    expect(seen.slice(0, 2)).toEqual(['one', 'two']);
  });
});

describe('what a run rejects', () => {
  const rejected = (more: Partial<Config>, setting?: Setting) => expect(run(more, setting)).rejects;

  it('an empty data set', () =>
    rejected({ dataset: { use: tiny, test: 0 } }).toMatchObject({ code: 'DATASET_EMPTY' }));

  it('an eps outside the range', () => rejected({ eps: [300] }).toMatchObject({ code: 'BUDGET_INVALID' }));

  it('a folder that cannot be written', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    return rejected({ output: join(file, 'run') }).toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
  });

  it('two plugins of one name', () => {
    const twins = { a: { model: toyNetwork() }, b: { model: toyNetwork() } };
    return rejected({ subjects: twins }).toMatchObject({ code: 'PLUGIN_INVALID' });
  });

  it('a data set that breaks its own description', () => {
    const broken = defineDataset({
      ...{ name: 'broken', summary: 'Wider than it says.', options: {} },
      load: async () => ({ ...tinyDataset(), width: 7 }),
    });
    return rejected({ dataset: broken }).toMatchObject({ code: 'DATASET_INVALID' });
  });

  it('a configuration without a data set', () =>
    rejected({ dataset: undefined as never }).toMatchObject({ code: 'CONFIG_INVALID' }));

  it('a backend that does not exist, or cannot run', async () => {
    await rejected({ backend: 'webgl' }).toMatchObject({ code: 'PLUGIN_UNKNOWN' });
    const broken = defineBackend({
      ...{ name: 'broken', summary: 'Never there.', options: {}, preference: 0 },
      probe: async () => ({ available: false, detail: 'no such device', advice: 'buy one' }),
      start: () => Promise.reject(new Error('must not be called')),
    });
    await rejected({ backend: broken }).toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      parts: { next: 'buy one' },
    });
  });
});
