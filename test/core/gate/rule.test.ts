import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { loadConfig, type GateConfig } from '../../../core/index.ts';
import { gateOrigins } from '../../../core/gate/origin.ts';
import { readRules } from '../../../core/gate/rule.ts';
import { schema } from '../../../core/config/schema.ts';
import { temporaryFolder } from '../../../core/testing/index.ts';

const fits = new Ajv({ allowUnionTypes: true }).compile(schema.properties.gates.items);
const read = (gate: string | GateConfig) => readRules([gate], () => 'robust.config.ts:7')[0]!;

describe('a rule as text', () => {
  it.each<[string, GateConfig]>([
    ['dice >= 0.8 at eps 8', { metric: 'dice', min: 0.8, eps: 8 }],
    ['dice>=.8', { metric: 'dice', min: 0.8 }],
    ['hd95 <= 4 at clean', { metric: 'hd95', max: 4, eps: 0 }],
    ['surface-dice >= 1e-1 at eps 8/255', { metric: 'surface-dice', min: 0.1, eps: '8/255' }],
    [
      'dice drop <= 0.05 at eps 8, subject unet+nlce',
      { metric: 'dice', drop: 0.05, eps: 8, subject: 'unet+nlce' },
    ],
    [
      'dice regression <= 0.005 at attack pgd(steps=2,start="a, b"), eps 0.5',
      { metric: 'dice', regression: 0.005, attack: 'pgd(steps=2,start="a, b")', eps: 0.5 },
    ],
    ['check budget-held at subject unet', { check: 'budget-held', subject: 'unet' }],
    ['cost seconds <= 600', { cost: 'seconds', max: 600 }],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual({ text, level: 'error', origin: 'robust.config.ts:7', config: expected });
    // An object that says the same is shown as text that says the same.
    const shown = read(expected).text;
    expect(read(shown).config).toEqual(expected);
    expect(fits(expected)).toBe(true);
  });

  it.each([
    'dice > 0.8',
    'dice >= 0.8 at',
    'dice >= 0.8 at eps',
    'dice >= 0.8 at eps 8, eps 4',
    'dice >= 0.8 at clean, eps 4',
    'dice >= 0.8 at model unet',
    'dice >= 0.8 for subject unet',
    'dice >= 80%',
    'dice drop >= 0.05',
    'dice >= 0.8 and jaccard >= 0.7',
    'cost watts <= 3',
    'cost seconds >= 3',
    'check',
    '',
  ])("refuses '%s', and says where it stands", (text) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        parts: expect.objectContaining({
          where: 'gates.0 (robust.config.ts:7)',
          received: `'${text}'`,
        }) as unknown,
      }),
    );
  });
});

describe('a rule as an object', () => {
  it.each<[GateConfig, RegExp]>([
    [{}, /one of metric, cost and check/],
    [{ metric: 'dice', cost: 'seconds', min: 1 }, /metric and cost/],
    [{ metric: 'dice' }, /one of min, max, drop, regression/],
    [{ metric: 'dice', min: 0.1, drop: 0.1 }, /min and drop/],
    [{ cost: 'seconds', min: 3 }, /no min beside cost/],
    [{ cost: 'seconds' }, /one of max/],
    [{ cost: 'seconds', max: 3, eps: 8 }, /cost of a subject/],
    [{ check: 'budget-held', max: 3 }, /no max beside check/],
    [{ check: 'budget-held', eps: 8 }, /a check without eps/],
    [{ metric: 'dice', drop: 0.1, eps: 0 }, /above 0/],
  ])('%o is refused', (config, message) => {
    expect(() => read(config)).toThrow(message);
  });

  it('may be switched off, or only warn', () => {
    const rules = (level: 'off' | 'warn') => readRules([{ metric: 'dice', min: 1, level }], () => undefined);
    expect(rules('off')).toEqual([]);
    expect(rules('warn')).toMatchObject([{ level: 'warn', text: 'dice >= 1' }]);
  });

  it('is checked by the schema of the configuration', async () => {
    const target = { dataset: 'x', subjects: { a: { model: 'unet' } }, gates: [{ metrik: 'dice' }] };
    const loaded = loadConfig({ cwd: '.', presets: new URL('file:///none/'), target: target as never });
    await expect(loaded).rejects.toThrow(/did you mean 'metric'/);
  });
});

describe('the place of a rule', () => {
  const lines = async (name: string, text: string, count: number) => {
    const cwd = mkdtempSync(join(temporaryFolder(), 'gates-'));
    writeFileSync(join(cwd, name), text);
    const loaded = await loadConfig({ cwd, presets: new URL('file:///none/'), target: name, partial: true });
    const origin = gateOrigins(loaded.origins, cwd);
    return Array.from({ length: count }, (_, index) => origin(index));
  };

  it('is its line in a script', async () => {
    const text = `export default {
  gates: [
    // the first, at 8 :]
    'dice >= 0.8 at eps 8',
    { metric: 'dice', /* , */ level: 'warn',
      drop: 0.1 }, 'dice >= 0, 1 ['.slice(0, 9),
    "jaccard >= 0.1",
  ],
};`;
    expect(await lines('robust.config.mjs', text, 4)).toEqual(
      [4, 5, 6, 7].map((n) => `robust.config.mjs:${n}`),
    );
  });

  it('is its line in JSON and YAML', async () => {
    const json = '{\n "gates": [\n  "dice >= 0.8",\n  { "metric": "dice",\n    "max": 1 }\n ]\n}';
    expect(await lines('a.json', json, 2)).toEqual(['a.json:3', 'a.json:4']);
    const yaml = '# gates\ngates:\n  - dice >= 0.8\n  - metric: dice\n    max: 1\n  - dice >= 0\nseed: 1\n';
    expect(await lines('a.yaml', yaml, 3)).toEqual(['a.yaml:3', 'a.yaml:4', 'a.yaml:6']);
  });

  it('is the origin alone where there is no such line, and nothing where nobody knows', () => {
    expect(gateOrigins({ gates: 'preset:quickstart' }, '/')(0)).toBe('preset:quickstart');
    expect(gateOrigins({}, '/')(0)).toBeUndefined();
  });
});
