import { describe, expect, it } from 'vitest';
import { codeLines, sourcesOf } from './source.ts';

const source = (text: string) => ({ text });

describe('codeLines', () => {
  it('counts neither blank lines nor comments', () => {
    expect(
      codeLines(
        source('// one\n\n/** two\n *\n * @throws three\n */\nconst a = 1; // four\n\nconst b = `x\n\ny`;\n'),
      ),
    ).toBe(4);
  });

  it('counts nothing in a file of comments', () => {
    expect(codeLines(source('/* nothing */\n'))).toBe(0);
  });
});

describe('sourcesOf', () => {
  it('resolves imports to paths from the root, and tells types from values', () => {
    const accuracy = sourcesOf('plugins/metrics').find(({ path }) => path === 'plugins/metrics/accuracy.ts');
    expect(accuracy?.imports).toEqual([{ target: 'core/index.ts', relative: true, typeOnly: false }]);
    const plugin = sourcesOf('core').find(({ path }) => path === 'core/plugin.ts');
    expect(plugin?.imports).toContainEqual({ target: 'core/vocabulary.ts', relative: true, typeOnly: true });
    expect(plugin?.imports).toContainEqual({
      target: '@tensorflow/tfjs-core',
      relative: false,
      typeOnly: true,
    });
  });
});
