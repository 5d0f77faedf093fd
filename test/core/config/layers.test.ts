import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith } from './folder.ts';
import { failure, json, load, small } from './support.ts';

test('defaults', async () => {
  const { value } = await load(folderWith({ 'robust.config.json': json }));
  expect(value).toMatchObject({
    dataset: 'chest-phantom',
    subjects: { plain: { model: 'unet' } },
    variants: [],
    seed: 1,
    backend: 'auto',
    batch: 8,
    limit: null,
    share: true,
    examples: 6,
    audit: 'quick',
    fresh: false,
    filter: null,
    output: 'runs/latest',
    attacks: ['targeted-ifgsm'],
    eps: [0.5, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32],
    metrics: ['dice', 'jaccard'],
    gates: [],
    baseline: null,
    reporters: ['terminal', 'json', 'html'],
    training: {
      epochs: 60,
      batch: 8,
      learningRate: 1e-3,
      schedule: 'plateau',
      minLearningRate: 1e-4,
      factor: 0.9,
      patience: 10,
      weightDecay: 1e-4,
      flips: false,
      rotation: 0,
      freeze: [],
      validation: 0,
      stopAfter: null,
      keep: 'last',
    },
  });
});

test('preset < file < environment < command line', async () => {
  const cwd = folderWith({
    'robust.config.json':
      '{ "extends": "preset:tiny", "seed": 2, "batch": 2, "limit": 2, "training": { "flips": true } }',
  });
  const env = {
    ROBUST_BATCH: '3',
    ROBUST_LIMIT: '3',
    ROBUST_CACHE: '/x',
    ROBUST_PYTHON: 'python3',
    ROBUST_OUTPUT: '',
    PATH: '/bin',
  };
  const { value, origins } = await load(cwd, {
    env,
    set: ['limit=4'],
    flags: { filter: 'plain', share: false },
  });
  expect(value).toMatchObject({ seed: 2, batch: 3, limit: 4, share: false, output: 'runs/latest' });
  expect(value.training).toMatchObject({ epochs: 3, flips: true, rotation: 0 });
  expect(origins).toMatchObject({
    'training.epochs': 'preset:tiny',
    'training.flips': 'robust.config.json',
    'training.rotation': 'default',
    seed: 'robust.config.json',
    batch: 'ROBUST_BATCH',
    limit: '--set',
    filter: '--filter',
    share: '--no-share',
    eps: 'default',
    attacks: 'default',
    'subjects.defended.defenses': 'preset:tiny',
  });
});

test('a preset that builds on a preset', async () => {
  const { value, origins } = await load(folderWith(), { target: 'preset:wide' });
  expect(value.subjects['plain']).toEqual({ model: { use: 'unet', width: 8 } });
  expect(origins).toMatchObject({
    'subjects.plain.model.width': 'preset:wide',
    'dataset.size': 'preset:tiny',
  });
  expect('extends' in value).toBe(false);
});

test('null removes a subject, and its origins', async () => {
  const cwd = folderWith({
    'robust.config.json': '{ "extends": "preset:tiny", "subjects": { "defended": null } }',
  });
  const { value, origins } = await load(cwd);
  expect(Object.keys(value.subjects)).toEqual(['plain']);
  expect(Object.keys(origins).filter((path) => path.startsWith('subjects.defended'))).toEqual([]);
});

test('paths of an extended file refer to its own folder', async () => {
  const cwd = folderWith({
    'robust.config.json': '{ "extends": "./shared/base.json", "subjects": { "b": { "model": "./m.ts" } } }',
    'shared/base.json':
      '{ "dataset": { "use": "../d.ts", "root": "./x" }, "subjects": { "a": { "model": "acme/m" } } }',
  });
  const { value } = await load(cwd);
  expect(value.dataset).toEqual({ use: join(cwd, 'd.ts'), root: join(cwd, 'shared/x') });
  expect(value.subjects).toEqual({ a: { model: 'acme/m' }, b: { model: './m.ts' } });
});

test.each<[string, string[], NodeJS.ProcessEnv, object]>([
  [
    'an option below a text reference',
    ['dataset.size=7'],
    {},
    { dataset: { use: 'chest-phantom', size: 7 } },
  ],
  ['an item of a list', ['attacks.0.stepSize=2'], {}, { attacks: [{ use: 'targeted-ifgsm', stepSize: 2 }] }],
  ['appending to a list', ['attacks.1=pgd'], {}, { attacks: ['targeted-ifgsm', 'pgd'] }],
  ['a whole list', ['eps=[1,"8/255"]'], {}, { eps: [1, '8/255'] }],
  ['another plugin', ['dataset.size=7', 'dataset=folder'], {}, { dataset: 'folder' }],
  [
    'the same plugin keeps its options',
    ['dataset.size=7', 'dataset=chest-phantom'],
    {},
    { dataset: { size: 7 } },
  ],
  ['text that is no JSON', ['dataset.root=a=b'], {}, { dataset: { root: 'a=b' } }],
  ['quoted text', ['dataset.root="8"'], {}, { dataset: { root: '8' } }],
  [
    'a new object',
    ['subjects.plain.training.epochs=2'],
    {},
    { subjects: { plain: { training: { epochs: 2 } } } },
  ],
  ['single underscores', [], { ROBUST_TRAINING__WEIGHT_DECAY: '0' }, { training: { weightDecay: 0 } }],
  ['environment below a reference', [], { ROBUST_DATASET__ROOT: '/d' }, { dataset: { root: '/d' } }],
  ['environment in a list', [], { ROBUST_ATTACKS__0__STEP_SIZE: '3' }, { attacks: [{ stepSize: 3 }] }],
  [
    'existing keys',
    [],
    { ROBUST_SUBJECTS__PLAIN__MODEL__WIDTH: '3' },
    { subjects: { plain: { model: { width: 3 } } } },
  ],
])('%s', async (_, set, env, expected) => {
  const { value } = await load(folderWith({ 'robust.config.json': json }), { set, env });
  expect(value).toMatchObject(expected);
});

test('origins of a reference that was text', async () => {
  const { origins } = await load(folderWith({ 'robust.config.json': json }), {
    set: ['attacks.0.stepSize=2'],
  });
  expect(origins).toMatchObject({ 'attacks.0.use': 'default', 'attacks.0.stepSize': '--set' });
  expect(origins).not.toHaveProperty('attacks');
});

test.each([['seed'], ['=1'], ['a..b=1'], ['__proto__.x=1']])('--set %s', async (text) => {
  expect((await failure(load(folderWith({ 'robust.config.json': json }), { set: [text] }))).code).toBe(
    'USAGE',
  );
});

test.each([['attacks.stepSize=2'], ['attacks.3.stepSize=2']])('--set %s names no item', async (text) => {
  const error = await failure(load(folderWith({ 'robust.config.json': json }), { set: [text] }));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.parts.expected).toBe('a position from 0 to 1, where 1 appends');
});

test('the result is frozen, and what the file exported is not', async () => {
  const cwd = folderWith({
    'robust.config.ts': `export const eps = [1]; globalThis.kept = eps; export default { ...${small}, eps }`,
  });
  const { value } = await load(cwd);
  expect(Object.isFrozen(value.eps)).toBe(true);
  expect(Object.isFrozen(value.training)).toBe(true);
  expect(Object.isFrozen((globalThis as { kept?: number[] }).kept)).toBe(false);
});
