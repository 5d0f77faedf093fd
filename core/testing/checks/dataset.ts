import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { IGNORED } from '../../dataset.ts';
import type { DatasetPlugin } from '../../plugin.ts';
import type { Context, Dataset, Sample, Split } from '../../vocabulary.ts';
import { makeContext } from '../context.ts';
import { expectNoLeak, lazy, type Check, type ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';

export interface DatasetSettings extends ContractSettings {
  /** Options that change the samples: the fingerprint must change with them. */
  readonly changed?: Readonly<Record<string, unknown>>;
}

/** Samples looked at per split: enough to see a pattern, few enough to stay fast. */
const LOOK = 6;

/** What every dataset must satisfy. */
export function datasetChecks(plugin: DatasetPlugin, settings: DatasetSettings = {}): Check[] {
  const load = async (ctx: Context) => plugin.load(resolvedOptions(plugin, settings.options), ctx);
  const dataset = lazy(async () => load(await makeContext(settings)));
  const check = (name: string, run: (data: Dataset) => void | Promise<void>): Check => ({
    name,
    run: async () => run(await dataset()),
  });
  return [
    ...metadataChecks(plugin, settings),
    check('describes itself', describesItself),
    check('has unique ids', uniqueIds),
    check('gives images of the declared size in whole grey levels of the domain', imagesFit),
    check('gives masks of the declared size and classes, not all of them empty', masksFit),
    check('gives the same bytes for the same index, in whatever order it is asked', deterministic),
    check('refuses an index that does not exist', refusesOutside),
    check('keeps training and test apart', disjoint),
    { name: 'loads without leaking tensors', run: () => loadsCleanly(settings, load) },
    {
      name: 'has a stable fingerprint',
      run: async () => stable(await dataset(), await load(await makeContext(settings))),
    },
    ...(settings.changed ? [sensitive(plugin, settings, dataset)] : []),
  ];
}

function describesItself(data: Dataset): void {
  for (const size of [data.height, data.width, data.channels])
    assert(Number.isInteger(size) && size > 0, `size ${size}`);
  const { low, high, step } = data.domain;
  assert(
    low < high && step > 0 && Number.isInteger((high - low) / step),
    `domain ${JSON.stringify(data.domain)}`,
  );
  assert(data.classes.length >= 2, 'background and at least one class to find');
  assert.equal(new Set(data.classes).size, data.classes.length, 'class names repeat');
  assert(data.test.ids.length > 0, 'no test samples');
  assert(data.fingerprint.length > 0, 'empty fingerprint');
}

function uniqueIds(data: Dataset): void {
  for (const { ids } of [data.train, data.test]) {
    const seen = new Set<string>();
    for (const id of ids) {
      assert(id.length > 0, 'an empty id');
      assert(!seen.has(id), `the id '${id}' appears twice`);
      seen.add(id);
    }
  }
}

async function imagesFit(data: Dataset): Promise<void> {
  const { low, high, step } = data.domain;
  for (const { id, image } of await look(data)) {
    assert.deepEqual([...image.shape], [data.height, data.width, data.channels], `${id}: image shape`);
    assert.equal(image.data.length, data.height * data.width * data.channels, `${id}: number of intensities`);
    assert(image.data instanceof Float32Array, `${id}: intensities are not a Float32Array`);
    const odd = image.data.find((v) => !(v >= low && v <= high && Number.isInteger((v - low) / step)));
    assert.equal(
      odd,
      undefined,
      `${id}: intensity ${odd} is no grey level of ${JSON.stringify(data.domain)}`,
    );
  }
}

async function masksFit(data: Dataset): Promise<void> {
  const samples = await look(data);
  for (const { id, mask } of samples) {
    assert.deepEqual([...mask.shape], [data.height, data.width], `${id}: mask shape`);
    assert.equal(mask.data.length, data.height * data.width, `${id}: number of mask pixels`);
    assert(mask.data instanceof Uint8Array, `${id}: the mask is not a Uint8Array`);
    const odd = mask.data.find((v) => v >= data.classes.length && v !== IGNORED);
    assert.equal(odd, undefined, `${id}: class ${odd} of ${data.classes.length}`);
  }
  assert(
    samples.some(({ mask }) => mask.data.some((v) => v > 0)),
    'every mask is all background',
  );
}

async function deterministic({ train, test }: Dataset): Promise<void> {
  for (const split of [train, test]) {
    const first = await lookAt(split);
    first.forEach((sample, i) =>
      assert.equal(sample.id, split.ids[i], 'a sample has the id of another index'),
    );
    const again = await lookAt(split, true);
    assert.deepEqual(again.map(digest), first.map(digest), 'the bytes changed when asked again');
  }
}

async function refusesOutside({ test }: Dataset): Promise<void> {
  await assert.rejects(async () => test.get(test.ids.length));
}

async function disjoint({ train, test }: Dataset): Promise<void> {
  const trained = new Set(train.ids);
  const shared = test.ids.find((id) => trained.has(id));
  assert.equal(shared, undefined, `'${shared}' is in both`);
  const [a, b] = [await lookAt(train), await lookAt(test)];
  const contents = new Set(a.map(digest));
  for (const sample of b)
    assert(!contents.has(digest(sample)), `the image of '${sample.id}' is also a training image`);
  const groups = new Set(a.flatMap(({ group }) => group ?? []));
  for (const { id, group } of b)
    assert(group === undefined || !groups.has(group), `the group of '${id}' is in both`);
}

async function loadsCleanly(
  settings: DatasetSettings,
  load: (ctx: Context) => Promise<Dataset>,
): Promise<void> {
  const ctx = await makeContext(settings);
  await expectNoLeak(ctx.tf, async () => {
    await look(await load(ctx));
  });
}

async function stable(one: Dataset, other: Dataset): Promise<void> {
  assert.equal(other.fingerprint, one.fingerprint, 'loading again changed the fingerprint');
  assert.deepEqual(
    (await look(other)).map(digest),
    (await look(one)).map(digest),
    'loading again changed the samples',
  );
}

function sensitive(plugin: DatasetPlugin, settings: DatasetSettings, dataset: () => Promise<Dataset>): Check {
  const run = async () => {
    const options = resolvedOptions(plugin, { ...settings.options, ...settings.changed });
    const other = await plugin.load(options, await makeContext(settings));
    assert.notEqual(other.fingerprint, (await dataset()).fingerprint, 'equal fingerprints for other samples');
  };
  return { name: 'has another fingerprint for other samples', run };
}

async function look({ train, test }: Dataset): Promise<Sample[]> {
  return [...(await lookAt(train)), ...(await lookAt(test))];
}

/** The first samples of a split, in order of index, read one after the other. */
async function lookAt(split: Split, backwards = false): Promise<Sample[]> {
  const indices = Array.from({ length: Math.min(LOOK, split.ids.length) }, (_, i) => i);
  const samples: Sample[] = [];
  for (const i of backwards ? indices.toReversed() : indices) samples[i] = await split.get(i);
  return samples;
}

function digest({ image, mask }: Sample): string {
  return createHash('sha256')
    .update(new Uint8Array(image.data.buffer, image.data.byteOffset, image.data.byteLength))
    .update(mask.data)
    .digest('hex');
}
