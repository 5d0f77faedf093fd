import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isPlugin } from '../../../core/index.ts';
import { folderWith } from './folder.ts';
import { failure, json, load, small } from './support.ts';

describe('search', () => {
  test.each([
    ['robust.config.ts', `const c: object = ${small}; export default c;`],
    ['robust.config.mts', `export default ${small} satisfies object;`],
    ['robust.config.js', `export default ${small};`],
    ['robust.config.mjs', `export default await Promise.resolve(${small});`],
    ['robust.config.cjs', `module.exports = ${small};`],
    ['robust.config.json', json],
    ['robust.config.yaml', 'dataset: chest-phantom\nsubjects:\n  plain:\n    model: unet\n'],
    ['robust.config.yml', json],
    ['.robustrc', json],
    ['.robustrc.yaml', json],
    ['package.json', `{ "name": "x", "robust": ${json} }`],
  ])('%s', async (name, text) => {
    const cwd = folderWith({ [name]: text });
    const { value, origins, baseDir } = await load(cwd);
    expect(value.dataset).toBe('chest-phantom');
    expect(origins).toMatchObject({ dataset: name, 'subjects.plain.model': name, seed: 'default' });
    expect(baseDir).toBe(cwd);
  });

  test('goes up to the folder of package.json, and relative paths refer to the folder of the file', async () => {
    const cwd = folderWith({ 'package.json': '{}', 'robust.config.json': json, 'a/b/c.txt': '' });
    const loaded = await load(join(cwd, 'a/b'), { flags: { output: 'out' }, set: ['dataset.root=./data'] });
    expect(loaded.baseDir).toBe(cwd);
    expect(loaded.value.output).toBe(join(cwd, 'a/b/out'));
    expect(loaded.value.dataset).toEqual({ use: 'chest-phantom', root: join(cwd, 'a/b/data') });
  });

  test('a file anywhere gets this copy of the package', async () => {
    const cwd = folderWith({
      'robust.config.ts': `
        import { defineConfig, defineMetric, RobustError } from 'robust';
        const metric = defineMetric({ name: 'm', summary: 's', better: 'higher', empty: 'e', options: {}, measure: () => 1 });
        if (new RobustError('USAGE', { message: 'x' }).code !== 'USAGE') throw new Error('another copy');
        export default defineConfig({ dataset: 'd', subjects: { a: { model: 'unet' } }, metrics: [metric, { use: metric }] });`,
    });
    const { value } = await load(cwd);
    expect(isPlugin(value.metrics[0])).toBe(true);
    expect(value.metrics[1]).toMatchObject({ use: { name: 'm' } });
  });
});

describe('errors', () => {
  test('no configuration', async () => {
    const error = await failure(load(folderWith({ 'package.json': '{}' })));
    expect(error.code).toBe('CONFIG_NOT_FOUND');
    expect(error.parts.next).toContain('preset:quickstart');
  });

  test('a file that does not exist', async () => {
    expect((await failure(load(folderWith(), { target: 'nope.ts' }))).code).toBe('CONFIG_NOT_FOUND');
  });

  test.each([
    ['throw.ts', "throw new TypeError('boom')", 'boom'],
    ['syntax.ts', 'export default {', 'Unexpected token'],
    ['import.ts', "import x from './nope.ts'; export default x;", './nope.ts'],
    ['bad.json', '{ "dataset": ', 'JSON'],
    ['bad.yaml', 'a: [1', ''],
  ])('%s throws', async (name, text, message) => {
    const error = await failure(load(folderWith({ [name]: text }), { target: name }));
    expect(error.code).toBe('CONFIG_THREW');
    expect(error.parts.where).toContain(name);
    expect(error.message).toContain(message);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test.each([
    ['list.ts', 'export default [1]', 'a list'],
    ['text.ts', "export default 'unet'", 'a string'],
    ['nothing.ts', 'export default undefined', 'nothing'],
    ['empty.json', '', 'nothing'],
    ['number.yaml', '7', 'a number'],
  ])('%s is not an object', async (name, text, received) => {
    const error = await failure(load(folderWith({ [name]: text }), { target: name }));
    expect(error.code).toBe('CONFIG_NOT_OBJECT');
    expect(error.parts.received).toBe(received);
  });

  test('unknown preset', async () => {
    const error = await failure(load(folderWith(), { target: 'preset:tinny' }));
    expect(error.code).toBe('PRESET_UNKNOWN');
    expect(error.parts.next).toBe("did you mean 'tiny'? there are: scaled, tiny, wide");
  });

  test('files that extend each other', async () => {
    const cwd = folderWith({
      'a.json': '{ "extends": "./b.json" }',
      'b.json': '{ "extends": ["preset:tiny", "./a.json"] }',
    });
    const error = await failure(load(cwd, { target: 'a.json' }));
    expect(error.code).toBe('CONFIG_CYCLE');
    expect(error.parts.where).toBe(
      ['a.json', 'b.json', 'a.json'].map((name) => join(cwd, name)).join(' -> '),
    );
  });

  test('extends that is no text', async () => {
    const cwd = folderWith({ 'a.json': '{ "extends": [7] }' });
    const error = await failure(load(cwd, { target: 'a.json' }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.parts.where).toBe('extends (a.json)');
  });

  test('a preset that does not exist, extended by a file', async () => {
    const cwd = folderWith({ 'a.json': '{ "extends": "preset:nope" }' });
    expect((await failure(load(cwd, { target: 'a.json' }))).code).toBe('PRESET_UNKNOWN');
  });

  test('everything that is wrong is said at once, with place, expectation and origin', async () => {
    const cwd = folderWith({
      'a.json':
        '{ "extends": "preset:tiny", "datasett": "x", "training": { "epochs": 0, "rate": 1 }, "eps": [] }',
    });
    const error = await failure(
      load(cwd, { target: 'a.json', env: { ROBUST_SED: '3' }, set: ['batch=many'], flags: { seed: 1.5 } }),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    const lines = error.parts.message.split('\n');
    expect(lines[0]).toBe('7 settings do not fit:');
    expect(lines.slice(1).sort()).toEqual([
      "- batch (--set): expected a whole number, at least 1, or 'auto'; received 'many'",
      expect.stringMatching(/^- datasett \(a\.json\): expected one of .*; did you mean 'dataset'\?$/),
      '- eps (a.json): expected a list, of at least 1 item, each item a number or text; received []',
      expect.stringMatching(/^- sed \(ROBUST_SED\): .* did you mean 'seed'\?$/),
      '- seed (--seed): expected a whole number; received 1.5',
      '- training.epochs (a.json): expected a whole number, at least 1; received 0',
      expect.stringMatching(
        /^- training\.rate \(a\.json\): expected one of epochs, .*; received the unknown setting 'rate'/,
      ),
    ]);
  });

  test.each([
    [{ subjects: { a: { model: 'unet' } } }, 'dataset', "a plugin's name, or { use: NAME, ... }", 'nothing'],
    [{ dataset: 'd', subjects: {} }, 'subjects', 'an object, with at least 1 entry', '{}'],
    [{ dataset: 'd', subjects: { a: null } }, 'subjects', 'an object, with at least 1 entry', '{}'],
    [
      { dataset: 'd', subjects: { a: {} } },
      'subjects.a.model',
      "a plugin's name, or { use: NAME, ... }",
      'nothing',
    ],
    [
      { dataset: { root: 'x' }, subjects: { a: { model: 'm' } } },
      'dataset.use',
      'text, not empty',
      'nothing',
    ],
    [{ dataset: 7, subjects: { a: { model: 'm' } } }, 'dataset', 'text or an object, not empty', '7'],
    [{ dataset: 'd', subjects: { 'a b': { model: 'm' } } }, 'subjects.a b', 'a name matching', "'a b'"],
    [
      { dataset: 'd', subjects: { a: { model: 'm' } }, limit: 0 },
      'limit',
      'a whole number, at least 1, or null',
      '0',
    ],
  ])('%j', async (config, path, expected, received) => {
    const cwd = folderWith({ 'a.json': JSON.stringify(config) });
    const { code, parts } = await failure(load(cwd, { target: 'a.json' }));
    expect(code).toBe('CONFIG_INVALID');
    expect(parts.message).toBe(`'${path}' does not fit.`);
    expect(parts.expected).toContain(expected);
    expect(parts.received).toBe(received);
  });
});
