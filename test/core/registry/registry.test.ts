import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  Registry,
  RobustError,
  configSchema,
  defineMetric,
  definePlugin,
  resolveOptions,
} from '../../../core/index.ts';
import { folderWith } from '../config/folder.ts';
import { failure } from '../config/support.ts';

const bundledPlugins = new URL('../../../plugins/', import.meta.url);

const metric = (name: string) =>
  `defineMetric({ name: '${name}', summary: 's', better: 'higher', empty: 'e', options: {}, measure: () => 1 })`;
const importing = (names: string) => `import { ${names} } from 'robust';\n`;

const files = {
  'metric.ts': `${importing('defineMetric')}const m: unknown = ${metric('mine')}; export default m;`,
  'metric.mjs': `${importing('defineMetric')}export default ${metric('mine')};`,
  'hooks.ts': `${importing('definePlugin')}export default definePlugin({ name: 'h', apply() {} });`,
  'throws.ts': `throw new TypeError('boom');`,
  'plain.ts': `export default { kind: 'metric', name: 'plain' };`,
  'none.ts': `export const x = 1;`,
  // A plugin of another copy of the package: the brand alone tells.
  'copy.ts': `export default Object.defineProperty({ kind: 'metric', name: 'copied', options: {} }, Symbol.for('robust.plugin'), { value: true });`,
  'node_modules/acme/package.json':
    '{ "name": "acme", "type": "module", "exports": { "import": "./index.js" } }',
  'node_modules/acme/index.js': `${importing('defineMetric, definePlugin')}
    export default [${metric('one')}, ${metric('two')}, definePlugin({ name: 'tap', apply() {} })];`,
  'node_modules/@acme/single/package.json': '{ "name": "@acme/single", "main": "index.cjs" }',
  'node_modules/@acme/single/index.cjs': `const { defineMetric } = require('robust');
    exports.__esModule = true; exports.default = ${metric('only')};`,
  'node_modules/broken/package.json': '{ "name": "broken", "main": "index.js" }',
  'node_modules/broken/index.js': `throw new Error('boom');`,
  'node_modules/notes/package.json': '{ "name": "notes", "main": "index.js" }',
  'node_modules/notes/index.js': `module.exports = [1];`,
};

function registry(baseDir = folderWith(files)): Registry {
  return new Registry({ bundledPlugins, baseDir });
}

describe('resolve', () => {
  test.each([
    ['dice', 'dice'],
    ['./metric.ts', 'mine'],
    ['./metric.mjs', 'mine'],
    ['./copy.ts', 'copied'],
    ['acme/one', 'one'],
    ['acme/two', 'two'],
    ['@acme/single/only', 'only'],
  ])('%s', async (reference, name) => {
    expect((await registry().resolve('metric', reference)).name).toBe(name);
    expect((await registry().resolve('metric', { use: reference, some: 1 })).name).toBe(name);
  });

  test('an absolute path', async () => {
    const folder = folderWith(files);
    expect((await registry('/').resolve('metric', join(folder, 'metric.ts'))).name).toBe('mine');
    expect((await registry('/').resolve('metric', './metric.ts', folder)).name).toBe('mine');
  });

  test('a plugin itself', async () => {
    const own = defineMetric({
      name: 'own',
      summary: 's',
      better: 'lower',
      empty: 'e',
      options: {},
      measure: () => 0,
    });
    expect(await registry().resolve('metric', own)).toBe(own);
    expect(await registry().resolve('metric', { use: own })).toBe(own);
  });

  test('hook plugins', async () => {
    const own = definePlugin({ name: 'own', apply() {} });
    expect(await registry().hookPlugin(own)).toBe(own);
    expect((await registry().hookPlugin('./hooks.ts')).name).toBe('h');
    expect((await registry().hookPlugin('acme/tap')).name).toBe('tap');
    expect((await failure(registry().hookPlugin('./metric.ts'))).code).toBe('PLUGIN_INVALID');
    expect((await failure(registry().hookPlugin('nowhere'))).code).toBe('PLUGIN_UNKNOWN');
  });

  test.each([
    ['dicee', 'PLUGIN_UNKNOWN', "did you mean 'dice'?"],
    ['zzz', 'PLUGIN_UNKNOWN', 'there are: accuracy, '],
    ['nothere/pgd', 'PLUGIN_UNKNOWN', 'npm install nothere'],
    ['@no/there/pgd', 'PLUGIN_UNKNOWN', 'npm install @no/there'],
    ['acme/three', 'PLUGIN_UNKNOWN', 'there are: one, tap, two'],
    ['./missing.ts', 'PLUGIN_UNKNOWN', 'robust new metric NAME'],
    ['./throws.ts', 'REFERENCE_FAILED', 'mend the error'],
    ['broken/x', 'REFERENCE_FAILED', 'mend the error'],
    ['./plain.ts', 'PLUGIN_INVALID', ''],
    ['./none.ts', 'PLUGIN_INVALID', ''],
    ['notes/x', 'PLUGIN_INVALID', ''],
  ])('%s: %s', async (reference, code, next) => {
    const error = await failure(registry().resolve('metric', reference));
    expect(error.code).toBe(code);
    expect(error.parts.next ?? '').toContain(next);
  });

  test('the cause of what failed', async () => {
    const error = await failure(registry().resolve('metric', './throws.ts'));
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'boom' });
    expect(error.parts.where).toMatch(/throws\.ts$/);
  });

  test('a plugin of another kind', async () => {
    const { code, parts } = await failure(registry().resolve('attack', './metric.ts'));
    expect(code).toBe('PLUGIN_INVALID');
    expect(parts).toMatchObject({ expected: 'a plugin of kind attack', received: 'a plugin of kind metric' });
  });

  test('something that is no plugin, given in place', async () => {
    const { code, parts } = await failure(registry().resolve('metric', { use: { name: 'x' } as never }));
    expect(code).toBe('PLUGIN_INVALID');
    expect(parts).toMatchObject({
      expected: 'a default export made by defineMetric',
      received: 'an object with name',
    });
  });

  test('another search in place of the own one', async () => {
    const own = defineMetric({
      name: 'own',
      summary: 's',
      better: 'lower',
      empty: 'e',
      options: {},
      measure: () => 0,
    });
    const seen: unknown[] = [];
    const find = (lookup: unknown) => (seen.push(lookup), Promise.resolve(own));
    const found = await new Registry({ bundledPlugins, baseDir: '/base', find }).resolve(
      'metric',
      'anything',
    );
    expect(found).toBe(own);
    expect(seen).toEqual([{ kind: 'metric', reference: 'anything', baseDir: '/base' }]);
  });
});

test('list gives every bundled plugin under the name of its file', async () => {
  const plugins = await registry('/').list();
  expect(plugins.map(({ name }) => name)).toEqual(expect.arrayContaining(['targeted-ifgsm', 'dice']));
  for (const plugin of plugins) expect(await registry('/').names(plugin.kind)).toContain(plugin.name);
  expect((await registry('/').list('metric')).every(({ kind }) => kind === 'metric')).toBe(true);
});

test('a folder without plugins', async () => {
  const empty = new Registry({ bundledPlugins: pathToFileURL(`${folderWith()}/`), baseDir: '/' });
  expect(await empty.list()).toEqual([]);
  expect((await failure(empty.resolve('attack', 'x'))).parts.next).toBe('there are none');
});

describe('options', () => {
  const plugin = {
    name: 'sample',
    options: {
      root: { description: 'r', type: 'string' },
      size: { description: 's', type: ['integer', 'null'], minimum: 1, default: null },
      mode: { description: 'm', enum: ['a', 'b'], default: 'a' },
      names: { description: 'n', type: 'array', items: { type: 'string' }, default: ['x'] },
    },
  } as const;

  test('defaults are filled in and everything is frozen', () => {
    const given = { root: 'r', names: ['y'] };
    const options = resolveOptions(plugin, given);
    expect(options).toEqual({ root: 'r', size: null, mode: 'a', names: ['y'] });
    expect(Object.isFrozen(options) && Object.isFrozen(options.names)).toBe(true);
    expect(Object.isFrozen(given.names)).toBe(false);
    expect(Object.keys(given)).toEqual(['root', 'names']);
  });

  test('defaults are not shared', () => {
    expect(resolveOptions(plugin, { root: 'r' }).names).not.toBe(plugin.options.names.default);
    expect(Object.isFrozen(plugin.options.names.default)).toBe(false);
  });

  test('everything that is wrong is said at once', () => {
    const resolve = () =>
      resolveOptions(plugin, { size: 0, mode: 'c', naems: [], names: [1] }, 'attacks.0', {
        'attacks.0.mode': '--set',
      });
    expect(resolve).toThrow(RobustError);
    try {
      resolve();
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      expect((error as RobustError).parts.message.split('\n').sort()).toEqual([
        "- attacks.0.mode (--set): expected one of 'a', 'b'; received 'c'",
        "- attacks.0.naems: expected one of root, size, mode, names; received the unknown setting 'naems'; did you mean 'names'?",
        '- attacks.0.names.0: expected text; received 1',
        '- attacks.0.root: expected text; received nothing',
        '- attacks.0.size: expected a whole number, at least 1, or null; received 0',
        '5 settings do not fit:',
      ]);
    }
  });

  test('a single mistake', () => {
    expect(() => resolveOptions(plugin, { root: 7 }, 'dataset')).toThrow(
      /^'dataset\.root' does not fit\.\n {2}where: {4}dataset\.root\n {2}expected: text\n {2}received: 7$/,
    );
  });

  test('open resolves the plugin and its options', async () => {
    const { plugin: found, options } = await registry('/').open(
      'attack',
      { use: 'targeted-ifgsm', stepSize: 2 },
      { path: 'attacks.0' },
    );
    expect(found.name).toBe('targeted-ifgsm');
    expect(options).toEqual({ stepSize: 2, steps: null });
  });
});

test('the schema for editors knows the options of bundled plugins', async () => {
  const { Ajv } = await import('ajv');
  const schema = await configSchema(registry('/'));
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true, strict: true }).compile(schema);
  const config = (attack: unknown) => ({
    dataset: './d.ts',
    subjects: { a: { model: './m.ts' } },
    attacks: [attack],
  });
  expect(validate(config({ use: 'targeted-ifgsm', stepSize: 2 }))).toBe(true);
  expect(validate(config({ use: 'acme/pgd', anything: 2 }))).toBe(true);
  expect(validate(config('acme/pgd'))).toBe(true);
  expect(validate(config({ use: 'targeted-ifgsm', stepSize: -2 }))).toBe(false);
  expect(validate(config({ use: 'targeted-ifgsm', stpeSize: 2 }))).toBe(false);
});
