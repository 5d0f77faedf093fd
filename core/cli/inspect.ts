import { Command, Help } from 'commander';
import { startEngine } from '../engine.ts';
import { RobustError } from '../errors/index.ts';
import { inspectNetwork } from '../models/inspect.ts';
import type { ModelDescription, ModelRequest } from '../plugin.ts';
import { Registry } from '../registry/index.ts';
import type { Context } from '../vocabulary.ts';
import { interruptible } from './interrupt.ts';
import { colours, makeLogger, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins } from './paths.ts';
import { contextOf, openPlugin } from './plugin.ts';
import { collect } from './settings.ts';
import { table } from './table.ts';

interface InspectSettings {
  readonly set?: readonly string[];
  readonly defense?: readonly string[];
  readonly size: string;
  readonly channels: string;
  readonly classes: string;
  readonly backend: string;
  readonly json?: boolean;
}

/** `robust inspect`: the layers of a model, and what they cost. */
export function inspectCommand(io: Io, finish: Finish): Command {
  return new Command('inspect')
    .description('show the layers, parameters, multiply-accumulates and taps of a model')
    .argument('<model>', 'a bundled name, package/name, or a file')
    .option('--set <option=value>', 'set an option of the model, such as width=0.25 (repeatable)', collect)
    .option('--defense <name>', 'a defense at its taps (repeatable)', collect)
    .option('--size <n>', 'side of the image, or HEIGHTxWIDTH', '256')
    .option('--channels <n>', 'channels of the image', '1')
    .option('--classes <n>', 'classes, background included', '2')
    .option('--backend <name>', 'what holds the weights', 'auto')
    .option('--json', 'print JSON')
    .action((model: string, settings: InspectSettings) => finish(inspect(io, model, settings)));
}

async function inspect(io: Io, name: string, settings: InspectSettings): Promise<number> {
  return interruptible(makeLogger(io), async (signal) => {
    const request = requestOf(settings);
    const description = await describe(io, name, settings, request, contextOf(io, signal));
    const data = { model: name, image: [request.height, request.width, request.channels], ...description };
    io.stdout.write(settings.json ? `${JSON.stringify(data)}\n` : asText(name, request, description, io));
    return 0;
  });
}

async function describe(
  io: Io,
  name: string,
  { set, defense = [], backend }: InspectSettings,
  request: ModelRequest,
  ctx: Context,
): Promise<ModelDescription> {
  const { plugin, options } = await openPlugin(io, 'model', name, set);
  const defenses = await Promise.all(defense.map((each) => openPlugin(io, 'defense', each)));
  await startEngine(backend, new Registry({ bundledPlugins, baseDir: io.cwd }), ctx);
  if ('build' in plugin) return inspectNetwork(plugin, options, defenses, request, ctx);
  if (plugin.inspect) return plugin.inspect(request, options, ctx);
  throw new RobustError('USAGE', {
    message: `The model '${plugin.name}' does not tell what it is made of.`,
    where: 'inspect',
    next: 'only networks, and models that implement `inspect`, can be inspected',
  });
}

function requestOf({ size, channels, classes }: InspectSettings): ModelRequest {
  const sides = size.split('x').map((side) => positive('--size', side));
  const names = Array.from({ length: positive('--classes', classes) }, (_, k) => `class ${k}`);
  const domain = { low: 0, high: 255, step: 1 };
  const [height, width] = [sides[0]!, sides.at(-1)!];
  return { height, width, channels: positive('--channels', channels), classes: names, domain };
}

function positive(where: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RobustError('USAGE', {
    message: 'This is not a whole number above 0.',
    where,
    received: text,
    next: `for example ${where} ${where === '--size' ? '256 or 192x256' : 2}`,
  });
}

const sides = (shape: readonly (number | null)[]) => shape.map((side) => side ?? '?').join('x');
const grouped = (n: number) => n.toLocaleString('en');
const millions = (n: number | null) => (n === null ? '?' : n === 0 ? '' : (n / 1e6).toFixed(n < 1e6 ? 3 : 1));

function asText(name: string, request: ModelRequest, description: ModelDescription, io: Io): string {
  const paint = colours(io.stdout, io.env);
  const { layers, taps, outputs } = description;
  const rows = layers.map(({ type, output, trainable, fixed, multiplyAccumulates, ...layer }) => {
    const parameters = trainable + fixed;
    return [
      layer.name,
      type,
      sides(output),
      parameters > 0 ? grouped(parameters) : '',
      millions(multiplyAccumulates),
    ];
  });
  const sum = (of: (layer: (typeof layers)[number]) => number | null) =>
    layers.reduce((total, layer) => total + (of(layer) ?? 0), 0);
  const fixed = sum((layer) => layer.fixed);
  const macs = (sum((layer) => layer.multiplyAccumulates) / 1e9).toPrecision(3);
  const unknown = layers.some((layer) => layer.multiplyAccumulates === null) ? 'at least ' : '';
  const { height, width, channels } = request;
  const columns = io.stdout.columns ?? 80;
  const wrap = (text: string) => new Help().boxWrap(text, columns);
  return [
    table(['layer', 'type', 'output', 'parameters', 'MMAC'], fitted(rows, columns), [3, 4]),
    '',
    `${paint.bold(name)} for images of ${height}x${width}x${channels}: ${unknown}${macs} GMAC`,
    `parameters: ${grouped(sum((layer) => layer.trainable))} trainable, ${grouped(fixed)} fixed`,
    wrap(`outputs: ${outputs.map(sides).join(', ')}`),
    wrap(`taps: ${taps.map((tap) => `${tap.name} ${sides(tap.shape)}`).join(', ') || 'none'}`),
    '',
  ].join('\n');
}

/** Cuts the middle out of layer names that would make a line longer than the terminal. */
function fitted(rows: readonly string[][], columns: number): string[][] {
  const widest = (column: number) => Math.max(10, ...rows.map((row) => row[column]!.length));
  const room = Math.max(12, columns - 8 - [1, 2, 3, 4].reduce((sum, column) => sum + widest(column), 0));
  const cut = (text: string) =>
    text.length <= room
      ? text
      : `${text.slice(0, Math.ceil(room / 2) - 1)}…${text.slice(-Math.floor(room / 2))}`;
  return rows.map(([name, ...rest]) => [cut(name!), ...rest]);
}
