import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codes } from '../core/index.ts';
import { codeLines, root, sourcesOf, type Source } from './source.ts';

const core = sourcesOf('core');
const plugins = sourcesOf('plugins');
const presets = sourcesOf('presets');
const tests = sourcesOf('test').filter(({ path }) => !path.startsWith('test/architecture'));

/** Offending imports as `file -> target`, so that a failure says where to look. */
function offenders(
  sources: readonly Source[],
  allowed: (source: Source, target: string) => boolean,
): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter(({ relative, target }) => relative && !allowed(source, target))
      .map(({ target }) => `${source.path} -> ${target}`),
  );
}

const inside = (path: string, folder: string) => path.startsWith(`${folder}/`);

describe('the import law', () => {
  it('keeps core inside core', () => {
    // The executable starts what the build made of it.
    const allowed = (target: string) => inside(target, 'core') || target === 'dist/core/cli/main.js';
    expect(offenders(core, (_, target) => allowed(target))).toEqual([]);
  });

  it('keeps the command line and the testing kit out of the rest of core', () => {
    for (const part of ['core/cli', 'core/testing']) {
      const rest = core.filter(({ path }) => !inside(path, part));
      expect(offenders(rest, (_, target) => !inside(target, part))).toEqual([]);
    }
  });

  it('lets plugins import the public door, their own folder and what is no plugin beside it', () => {
    const allowed = ({ path }: Source, target: string) => {
      const [, kind, name] = path.split('/') as [string, string, string];
      const kindFolder = `plugins/${kind}`;
      if (
        target === 'core/index.ts' ||
        (dirname(path) !== kindFolder && inside(target, `${kindFolder}/${name}`))
      )
        return true;
      const folder = dirname(target);
      return (
        inside(target, kindFolder) && folder !== kindFolder && !existsSync(join(root, folder, 'index.ts'))
      );
    };
    expect(offenders(plugins, allowed)).toEqual([]);
  });

  it('lets presets import nothing but types from core', () => {
    expect(offenders(presets, (_, target) => inside(target, 'core'))).toEqual([]);
    const values = presets.flatMap(({ path, imports }) =>
      imports.filter(({ typeOnly }) => !typeOnly).map(() => path),
    );
    expect(values).toEqual([]);
  });

  it('lets core name no bundled plugin', () => {
    const names = plugins.flatMap(
      ({ path }) =>
        /^plugins\/(?:models|defenses|attacks|datasets)\/([\w-]+)(?:\.ts|\/index\.ts)$/.exec(path)?.[1] ?? [],
    );
    expect(names).toContain('unet');
    // Defaults of the configuration are data, as presets are; the testing kit shows names in a report.
    const data = ['core/config/schema.ts', 'core/testing/report.ts'];
    const naming = core
      .filter(({ path }) => !data.includes(path))
      .flatMap(({ path, strings }) =>
        strings.filter((text) => names.includes(text)).map((text) => `${path}: ${text}`),
      );
    expect(naming).toEqual([]);
  });
});

describe('size', () => {
  const tooLong = (sources: readonly Source[], limit: number) =>
    sources
      .map((source) => `${source.path}: ${codeLines(source)}`)
      .filter((line) => Number(line.split(': ')[1]) > limit);

  it('of a core file is at most 250 lines of code', () => {
    expect(tooLong(core, 250)).toEqual([]);
  });

  it('of a plugin is at most 150 lines of code, and of a file beside it 250', () => {
    const isEntry = ({ path }: Source) => /^plugins\/\w+\/([\w-]+\.ts|[\w-]+\/index\.ts)$/.test(path);
    expect(tooLong(plugins.filter(isEntry), 150)).toEqual([]);
    expect(tooLong(plugins, 250)).toEqual([]);
  });

  const linesOf = (pattern: RegExp) =>
    core.filter(({ path }) => pattern.test(path)).reduce((sum, source) => sum + codeLines(source), 0);

  it('of the runner stays below 2500 lines of code, of what serves it below 4000, of what judges below 1200, of the audit below 1200', () => {
    const serving = /^core\/(config|registry|examples|images|layers|models|ops|store|training)\//;
    // Works on finished rows: statistics, gates and comparisons.
    const judging = /^core\/(gate|statistics)\//;
    const runner =
      /^core\/(?!(cli|testing|config|registry|examples|images|layers|models|ops|store|training|gate|statistics|audit)\/)/;
    expect(linesOf(runner)).toBeLessThan(2500);
    expect(linesOf(serving)).toBeLessThan(4000);
    expect(linesOf(judging)).toBeLessThan(1200);
    // Looks at models and attacks from outside; a run works without it.
    expect(linesOf(/^core\/audit\//)).toBeLessThan(1200);
  });
});

describe('error codes', () => {
  const mentions = (sources: readonly Source[], code: string) =>
    sources.some(({ text }) => text.includes(`'${code}'`));
  const runtime = [...core.filter(({ path }) => path !== 'core/errors/codes.ts'), ...plugins];

  it('are listed in alphabetical order', () => {
    expect(Object.keys(codes)).toEqual(Object.keys(codes).sort());
  });

  it('are all thrown somewhere', () => {
    expect(Object.keys(codes).filter((code) => !mentions(runtime, code))).toEqual([]);
  });

  it('are all tested somewhere', () => {
    expect(Object.keys(codes).filter((code) => !mentions(tests, code))).toEqual([]);
  });
});

describe('dependencies', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };

  it('are pinned, and each has its reason in docs/decisions.md', () => {
    const decisions = readFileSync(join(root, 'docs/decisions.md'), 'utf8');
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    const mentioned = [...decisions.matchAll(/`([^`\s]+)`/g)].map(([, text]) => text!);
    expect(Object.keys(dependencies).filter((name) => !mentioned.some((text) => stands(text, name)))).toEqual(
      [],
    );
  });
});

/** Whether a text stands for a package: its name, `-end` of the name, or its `beginning*`. */
function stands(text: string, name: string): boolean {
  if (text.startsWith('-')) return name.endsWith(text);
  return text.endsWith('*') ? name.startsWith(text.slice(0, -1)) : text === name;
}
