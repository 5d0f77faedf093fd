import { existsSync } from 'node:fs';
import { basename, extname, resolve, sep } from 'node:path';
import type { Config } from '../config/index.ts';
import { RobustError } from '../errors/index.ts';
import type { DatasetPlugin, ModelPlugin } from '../plugin.ts';
import { Registry } from '../registry/index.ts';
import type { Io } from './io.ts';
import { bundledPlugins } from './paths.ts';

/** Model files, images and masks, as the command line names them. */
interface Files {
  readonly model?: readonly string[];
  readonly images?: string;
  readonly masks?: string;
}

/**
 * The target of a command: what is given, or with `--model` or `--images` a configuration for those files, on top of what
 * is given. The plugins are those that say they open such files.
 */
export async function fromFiles(
  { cwd }: Pick<Io, 'cwd'>,
  target: string | undefined,
  { model = [], images, masks }: Files,
): Promise<string | Config | undefined> {
  if (model.length === 0 && images === undefined && masks === undefined) return target;
  const registry = new Registry({ bundledPlugins, baseDir: cwd });
  const subjects = await Promise.all(model.map((file) => subjectOf(file, cwd, registry)));
  const dataset =
    images === undefined && masks === undefined ? undefined : await dataOf(images, masks, cwd, registry);
  return {
    ...(target === undefined ? {} : { extends: target }),
    ...(dataset && { dataset }),
    ...(subjects.length > 0 && { subjects: Object.fromEntries(subjects) }),
  };
}

/** The model plugin that opens a file, by its ending, or a folder in which a file of that whole name lies. */
export async function opener(file: string, cwd: string, registry: Registry): Promise<string | undefined> {
  const opens = ([ending]: readonly [string, string]) =>
    file.toLowerCase().endsWith(ending) ||
    (!ending.startsWith('.') && existsSync(resolve(cwd, file, ending)));
  return (await endingsOf(registry)).find(opens)?.[1];
}

async function endingsOf(registry: Registry) {
  const models = (await registry.list('model')) as ModelPlugin[];
  return models.flatMap((plugin) =>
    'open' in plugin ? (plugin.extensions ?? []).map((ending) => [ending, plugin.name] as const) : [],
  );
}

async function subjectOf(file: string, cwd: string, registry: Registry) {
  const use = await opener(file, cwd, registry);
  if (use === undefined) {
    const endings = (await endingsOf(registry)).map(([ending]) => ending).sort();
    throw new RobustError('USAGE', {
      message: 'No plugin opens files with this ending.',
      where: `--model ${file}`,
      expected: `a file that ends with ${endings.join(', ')}`,
      received: extname(file) || 'no ending',
      next: 'export the model in one of these formats',
    });
  }
  const name = basename(file, extname(file))
    .replaceAll(/[^A-Za-z0-9_+-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return [name || 'model', { model: { use, path: resolve(cwd, file) } }] as const;
}

async function dataOf(
  images: string | undefined,
  masks: string | undefined,
  cwd: string,
  registry: Registry,
) {
  if (images === undefined || masks === undefined) {
    throw new RobustError('USAGE', {
      message: 'Images and masks belong together.',
      where: images === undefined ? '--masks' : '--images',
      expected: "--images 'img/*.png' --masks 'mask/*.png'",
      next: 'give both patterns, in quotes so that the shell leaves them alone',
    });
  }
  const data = (await registry.list('dataset')) as DatasetPlugin[];
  const able = data.filter(({ fromPatterns }) => fromPatterns);
  const plugin =
    able.find(({ extensions }) => extensions?.some((ending) => images.toLowerCase().endsWith(ending))) ??
    able.find(({ extensions }) => !extensions)!;
  const paths = [images, masks].map((pattern) =>
    // What ends with a slash names folders.
    [...resolve(cwd, pattern).split(sep), ...(pattern.endsWith('/') ? [''] : [])],
  );
  const [first, second] = paths as [string[], string[]];
  const differs = first.findIndex(
    (part, index) => part !== second[index] || part.includes('*') || index === first.length - 1,
  );
  const [root, ...patterns] = [
    first.slice(0, differs).join(sep) || sep,
    ...paths.map((path) => path.slice(differs).join('/')),
  ];
  return { use: plugin.name, ...plugin.fromPatterns!(root, patterns[0]!, patterns[1]!) };
}
