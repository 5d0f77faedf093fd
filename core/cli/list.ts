import { Command, Help } from 'commander';
import { listPresets } from '../config/presets.ts';
import { describeSchema } from '../config/problems.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import { kinds, type Kind, type OptionSchema, type Plugin } from '../plugin.ts';
import { Registry, optionsSchema } from '../registry/index.ts';
import { colours, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins, presets } from './paths.ts';
import { table } from './table.ts';

interface Entry {
  readonly kind: string;
  readonly name: string;
  readonly summary: string;
}

/** `robust list`: what there is, and what each plugin understands. */
export function listCommand(io: Io, finish: Finish): Command {
  return new Command('list')
    .description('list plugins and presets, or explain one plugin: robust list attack targeted-ifgsm')
    .argument('[kind]', `${kinds.join(', ')} or preset`)
    .argument('[name]', 'a bundled name, package/name, or a file')
    .option('--json', 'print JSON')
    .action((kind: string | undefined, name: string | undefined, { json = false }: { json?: boolean }) =>
      finish(name === undefined ? listAll(io, kind, json) : explain(io, pluginKind(kind), name, json)),
    );
}

async function listAll(io: Io, kind: string | undefined, json: boolean): Promise<number> {
  const entries = await entriesOf(io, kind);
  const paint = colours(io.stdout, io.env);
  const widthOf = (key: 'kind' | 'name') => Math.max(...entries.map((entry) => entry[key].length));
  const room = 80 - widthOf('kind') - widthOf('name') - 4;
  const rows = entries.map(({ kind: each, name, summary }) => [
    each,
    paint.bold(name),
    new Help().boxWrap(summary, room),
  ]);
  io.stdout.write(json ? `${JSON.stringify(entries)}\n` : `${table([], rows)}\n`);
  return 0;
}

async function entriesOf(io: Io, kind: string | undefined): Promise<Entry[]> {
  const found: Entry[] = [];
  if (kind !== 'preset')
    found.push(...(await registryOf(io).list(kind === undefined ? undefined : pluginKind(kind))));
  if (kind === undefined || kind === 'preset') {
    found.push(...(await listPresets(presets)).map((preset) => ({ kind: 'preset', ...preset })));
  }
  return found.map(({ kind: each, name, summary }) => ({ kind: each, name, summary }));
}

async function explain(io: Io, kind: Kind, name: string, json: boolean): Promise<number> {
  const plugin = await registryOf(io).resolve(kind, name);
  const { summary, references = [] } = plugin;
  const data = { kind, name: plugin.name, summary, references, options: optionsSchema(plugin) };
  io.stdout.write(json ? `${JSON.stringify(data)}\n` : describePlugin(plugin, io));
  return 0;
}

function describePlugin({ kind, name, summary, options, references = [] }: Plugin, io: Io): string {
  const paint = colours(io.stdout, io.env);
  const lines = [`${paint.bold(name)} (${kind})`, summary, ''];
  const entries = Object.entries(options);
  lines.push(paint.bold(entries.length > 0 ? 'Options' : 'No options'));
  for (const [option, schema] of entries) {
    lines.push(
      `  ${paint.bold(option)}: ${describeSchema({ ...schema })} (${presence(schema)})`,
      `      ${schema.description}`,
    );
  }
  if (references.length > 0)
    lines.push('', paint.bold('References'), ...references.map((text) => `  ${text}`));
  return `${lines.join('\n')}\n`;
}

function presence(option: OptionSchema): string {
  return option.default === undefined ? 'must be given' : `default ${JSON.stringify(option.default)}`;
}

function registryOf({ cwd }: Io): Registry {
  return new Registry({ bundledPlugins, baseDir: cwd });
}

/** A kind as people write it; USAGE with the nearest one otherwise. */
export function pluginKind(text: string | undefined): Kind {
  const found = kinds.find((kind) => kind === text);
  if (found) return found;
  throw new RobustError('USAGE', {
    message: `There is no kind of plugin called '${text}'.`,
    where: 'kind',
    next: suggestion(text ?? '', kinds),
  });
}
