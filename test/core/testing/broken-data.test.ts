import { describe, expect, it } from 'vitest';
import {
  defineBackend,
  defineDataset,
  defineMetric,
  defineReporter,
  type Dataset,
  type MetricPlugin,
  type Sample,
} from '../../../core/index.ts';
import {
  backendChecks,
  datasetChecks,
  metricChecks,
  reporterChecks,
  tinyDataset,
} from '../../../core/testing/index.ts';
import { basics, failing } from './failing.ts';

describe('what every plugin tells', () => {
  const measure = ({ confusion: { tp, fp, fn } }: Parameters<MetricPlugin['measure']>[0]) =>
    tp / (tp + fp + fn);
  const metric = (changes: Partial<MetricPlugin>) =>
    metricChecks(
      defineMetric({
        ...basics,
        name: 'ok',
        better: 'higher',
        empty: 'Both empty: undefined. One: 0.',
        measure,
        ...changes,
      }),
    );

  it('passes when it is as it should be', async () => {
    expect(await failing(metric({}))).toEqual([]);
  });

  it.each([
    ['a name in camel case', { name: 'myMetric' }, 'has a kebab-case name'],
    ['a summary without a full stop', { summary: 'A metric' }, 'has a summary of one sentence'],
    ['a summary of two sentences', { summary: 'A metric. It is good.' }, 'has a summary of one sentence'],
    [
      'an option without a description',
      { options: { a: { description: '', type: 'number', default: 1 } } },
      'describes every option, with a default or as required',
    ],
    [
      'a default outside its own range',
      { options: { a: { description: 'A.', type: 'number', maximum: 1, default: 2 } } },
      'accepts its own defaults',
    ],
    [
      'a default of another type',
      { options: { a: { description: 'A.', type: 'integer', default: 0.5 } } },
      'accepts its own defaults',
    ],
    [
      'a required option that the settings lack',
      { options: { a: { description: 'A.', type: 'string' } } },
      'accepts its own defaults',
    ],
  ] as const)('fails with %s', async (_, changes, check) => {
    expect(await failing(metric(changes as Partial<MetricPlugin>))).toContain(check);
  });

  it('fails when a plugin writes to its options', async () => {
    const options = { a: { description: 'A.', type: 'number', default: 1 } } as const;
    const greedy = defineMetric({
      ...basics,
      name: 'greedy',
      better: 'higher',
      empty: 'undefined',
      options,
      measure: (pair, given) => {
        (given as { a: number }).a = 2;
        return measure(pair);
      },
    });
    expect(await failing(metricChecks(greedy))).toContain(
      'gives the same value again, and leaves the masks alone',
    );
  });

  it('fails for a plugin that no helper made', async () => {
    const bare = {
      ...basics,
      kind: 'metric',
      name: 'bare',
      better: 'higher',
      empty: 'undefined',
      measure,
    } as MetricPlugin;
    expect(await failing(metricChecks(bare))).toContain('is made by a define... helper, and frozen');
  });
});

describe('metrics', () => {
  type Measure = MetricPlugin['measure'];
  const checks = (measure: Measure, changes: Partial<MetricPlugin> = {}) =>
    failing(
      metricChecks(
        defineMetric({
          ...basics,
          name: 'broken',
          better: 'higher',
          empty: 'Both: undefined. One: 0.',
          measure,
          ...changes,
        }),
      ),
    );

  it('fail when they reward empty predictions', async () => {
    const failed = await checks(({ confusion: { fp, tp, fn } }) => (tp + fp === 0 ? 1 : tp / (tp + fp + fn)));
    expect(failed).toContain('gives an empty prediction a worse value than a perfect one');
    expect(failed).toContain('follows its declared policy for empty masks');
  });

  it('fail when another prediction beats the perfect one', async () => {
    expect(await checks(({ confusion: { tp, fp } }) => tp + fp)).toContain(
      'gives a perfect prediction the best value of all',
    );
  });

  it('fail when the direction is declared wrongly', async () => {
    const failed = await checks(({ confusion: { tp, fp, fn } }) => tp / (tp + fp + fn), { better: 'lower' });
    expect(failed).toContain('gives a perfect prediction the best value of all');
  });

  it('fail when they are undefined without a reason', async () => {
    const failed = await checks(({ confusion: { tp, fp, fn } }) => (fp > 10 ? NaN : tp / (tp + fp + fn)));
    expect(failed).toContain('is a number wherever prediction and truth hold something');
  });

  it('fail when they hide what empty masks give', async () => {
    const failed = await checks(({ confusion: { tp, fp, fn } }) =>
      tp + fp + fn === 0 ? 0.25 : tp / (tp + fp + fn),
    );
    expect(failed).toEqual(['follows its declared policy for empty masks']);
  });

  it('fail when asymmetry is not declared, and when it is declared without being there', async () => {
    const precision = defineMetric({
      ...basics,
      name: 'precision',
      better: 'higher',
      empty: 'Empty prediction: undefined. Empty truth: 0.',
      measure: ({ confusion: { tp, fp } }) => tp / (tp + fp),
    });
    expect(await failing(metricChecks(precision))).toEqual(['is symmetric in prediction and truth']);
    expect(await failing(metricChecks(precision, { symmetric: false }))).toEqual([]);
    const failed = metricChecks(
      defineMetric({ ...precision, measure: ({ confusion: { tp, fp, fn } }) => tp / (tp + fp + fn) }),
      { symmetric: false },
    );
    expect(await failing(failed)).toContain('is asymmetric in prediction and truth');
  });

  it('fail when pooling one image gives another value, or masks are changed', async () => {
    const jaccard: Measure = ({ confusion: { tp, fp, fn } }) => tp / (tp + fp + fn);
    expect(await checks(jaccard, { pool: ({ tp, fn }) => tp / (tp + fn) })).toEqual([
      'pools the counts of one image to the value of that image',
    ]);
    const greedy: Measure = (pair) => (pair.prediction.fill(1), jaccard(pair, {}));
    expect(await checks(greedy)).toContain('gives the same value again, and leaves the masks alone');
  });

  it('fail when the orientation of the image matters', async () => {
    const top: Measure = ({ prediction, truth }) => Number(prediction[0] === truth[0]);
    expect(await checks(top)).toContain('does not care which way round an image lies');
  });
});

describe('data sets', () => {
  const tiny = tinyDataset({ train: 3, test: 3 });
  const checks = (
    change: (data: Dataset) => Partial<Dataset>,
    load = async () => ({ ...tiny, ...change(tiny) }),
  ) => failing(datasetChecks(defineDataset({ ...basics, name: 'broken', load })));
  const withSample = (change: (sample: Sample, call: number) => Sample) => {
    let calls = 0;
    return (data: Dataset) => ({
      test: { ids: data.test.ids, get: async (index: number) => change(await data.test.get(index), calls++) },
    });
  };
  const images = 'gives images of the declared size in whole grey levels of the domain';

  it('pass when they are as they should be', async () => {
    expect(await checks(() => ({}))).toEqual([]);
  });

  it.each([
    ['duplicate ids', ({ test }: Dataset) => ({ test: { ...test, ids: ['a', 'a', 'b'] } }), 'has unique ids'],
    [
      'a test split that is the training split',
      ({ train }: Dataset) => ({ test: train }),
      'keeps training and test apart',
    ],
    [
      'a training image under another name in the test split',
      ({ train, test }: Dataset) => ({
        test: { ids: test.ids, get: async (i: number) => ({ ...(await train.get(i)), id: test.ids[i]! }) },
      }),
      'keeps training and test apart',
    ],
    [
      'no test images',
      () => ({ test: { ids: [], get: () => Promise.reject(new Error('none')) } }),
      'describes itself',
    ],
    ['one class', () => ({ classes: ['background'] }), 'describes itself'],
    ['another size than declared', () => ({ width: 7 }), images],
    [
      'grey levels between the steps',
      withSample((sample) => ({
        ...sample,
        image: { ...sample.image, data: sample.image.data.map((v) => v + 0.5) },
      })),
      images,
    ],
    [
      'intensities outside the domain',
      withSample((sample) => ({
        ...sample,
        image: { ...sample.image, data: sample.image.data.map((v) => v - 256) },
      })),
      images,
    ],
    [
      'NaN',
      withSample((sample) => ({
        ...sample,
        image: { ...sample.image, data: sample.image.data.map(() => NaN) },
      })),
      images,
    ],
    [
      'a class that does not exist',
      withSample((sample) => ({ ...sample, mask: { ...sample.mask, data: sample.mask.data.map(() => 2) } })),
      'gives masks of the declared size and classes, not all of them empty',
    ],
    [
      'other bytes at every call',
      withSample((sample, call) => ({
        ...sample,
        image: { ...sample.image, data: sample.image.data.fill(call % 256) },
      })),
      'gives the same bytes for the same index, in whatever order it is asked',
    ],
    [
      'samples beyond the end',
      ({ test }: Dataset) => ({ test: { ids: test.ids, get: (i: number) => test.get(i % test.ids.length) } }),
      'refuses an index that does not exist',
    ],
  ])('fail with %s', async (_, change, check) => {
    expect(await checks(change)).toContain(check);
  });

  it('fail when the fingerprint changes by itself, or does not change with the samples', async () => {
    let loads = 0;
    expect(
      await checks(
        () => ({}),
        async () => ({ ...tiny, fingerprint: String(loads++) }),
      ),
    ).toEqual(['has a stable fingerprint']);
    const seeded = defineDataset({
      ...basics,
      name: 'deaf',
      options: { seed: { description: 'Seed.', type: 'integer', default: 0 } },
      load: async ({ seed }) => ({ ...tinyDataset({ seed }), fingerprint: 'same' }),
    });
    expect(await failing(datasetChecks(seeded, { changed: { seed: 1 } }))).toEqual([
      'has another fingerprint for other samples',
    ]);
  });
});

describe('reporters', () => {
  type Report = Parameters<typeof defineReporter>[0]['report'];
  const checks = (report: Report, prints = true) =>
    failing(reporterChecks(defineReporter({ ...basics, name: 'broken', prints, report })));

  it('pass when they are as they should be', async () => {
    expect(await checks((report, _, { print }) => print(`${report.curves.length} curves\n`))).toEqual([]);
    expect(await checks((report, _, { write }) => write('a.json', JSON.stringify(report)), false)).toEqual(
      [],
    );
  });

  it('fail when they do not keep their word about printing', async () => {
    expect(await checks(() => undefined)).toEqual(['prints, or writes files, as it says']);
    expect(await checks((_report, _, { print }) => print('x'), false)).toEqual([
      'prints, or writes files, as it says',
    ]);
  });

  it('fail on undefined values, time stamps, colour and long lines', async () => {
    const naive = await checks((report, _, { print }) =>
      print(report.curves[0]!.points[0]!.mean!.toFixed(3)),
    );
    expect(naive).toContain('takes a report with undefined values');
    let calls = 0;
    expect(await checks((_report, _, { print }) => print(`${calls++}`))).toContain(
      'gives the same output for the same report',
    );
    expect(await checks((_report, _, { print }) => print('\u001b[1mbold\u001b[0m'))).toContain(
      'prints no escape sequences without colour',
    );
    expect(await checks((_report, _, { print }) => print('-'.repeat(81)))).toEqual(['keeps to 80 columns']);
  });

  it('fail when names become markup or control characters', async () => {
    const markup = await checks(
      (report, _, { write }) => write('a.html', `<p>${report.subjects.map(({ name }) => name).join()}</p>`),
      false,
    );
    expect(markup).toEqual(['lets no name become markup or control characters']);
    const control = await checks((report, _, { print }) => print(report.engine.device));
    expect(control).toContain('lets no name become markup or control characters');
  });

  it('fail when they write to the report', async () => {
    const greedy = await checks((report, _, { print }) =>
      print(`${(report.rows as unknown[]).sort().length}`),
    );
    expect(greedy).toContain('takes a report');
  });
});

describe('backends', () => {
  it('fail when they claim to run and do not, or throw instead of answering', async () => {
    const broken = defineBackend({
      ...basics,
      name: 'broken',
      preference: 0,
      probe: async () => ({ available: true, detail: 'surely' }),
      start: () => Promise.reject(new Error('no')),
    });
    expect(await failing(backendChecks(broken))).toContain('starts, or explains why not');
    const shy = defineBackend({ ...broken, probe: () => Promise.reject(new Error('no')) });
    expect(await failing(backendChecks(shy))).toContain('says whether it can run here');
    const silent = defineBackend({ ...broken, probe: async () => ({ available: false, detail: 'no' }) });
    expect(await failing(backendChecks(silent))).toEqual(['starts, or explains why not']);
  });
});
