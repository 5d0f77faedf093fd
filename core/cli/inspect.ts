import { Command } from 'commander';
import type { Resolved } from '../config/types.ts';
import { startEngine } from '../engine.ts';
import { RobustError } from '../errors/index.ts';
import type { ModelDescription, VerifiedOutput } from '../models/description.ts';
import { checkGradient, type GradientCheck } from '../models/gradient-check.ts';
import { inspectNetwork } from '../models/inspect.ts';
import type { InspectRequest, ModelRequest, OpenModelPlugin } from '../plugin.ts';
import { Registry } from '../registry/index.ts';
import type { Context } from '../vocabulary.ts';
import { opener } from './files.ts';
import { asText, checkText, verifiedText } from './inspect-text.ts';
import { interruptible } from './interrupt.ts';
import { makeLogger, type Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins } from './paths.ts';
import { contextOf, openPlugin } from './plugin.ts';
import { collect } from './settings.ts';

interface InspectSettings {
  readonly set?: readonly string[];
  readonly defense?: readonly string[];
  readonly size?: string;
  readonly channels?: string;
  readonly classes?: string;
  readonly backend: string;
  readonly verify?: string;
  readonly gradcheck?: boolean;
  readonly json?: boolean;
}

/** What the command found. */
export interface Inspection {
  readonly model: string;
  /** The plugin that opened a file. */
  readonly use?: string;
  readonly image: readonly [height: number, width: number, channels: number];
  readonly description: ModelDescription;
  readonly verified?: readonly VerifiedOutput[];
  readonly gradient?: GradientCheck;
}

/** `robust inspect`: the layers of a model, what they cost, and whether they compute what they should. */
export function inspectCommand(io: Io, finish: Finish): Command {
  return new Command('inspect')
    .description('show what a model is made of, costs, and takes; check it')
    .argument('<model>', 'a bundled name, package/name, or a file')
    .option('--set <option=value>', 'set an option of the model, such as width=0.25 (repeatable)', collect)
    .option('--defense <name>', 'a defense at its taps (repeatable)', collect)
    .option('--size <n>', 'side of the image, or HEIGHTxWIDTH (default: as the model says, or 256)')
    .option('--channels <n>', 'channels of the image (default: as the model says, or 1)')
    .option('--classes <n>', 'classes, background included (default: 2)')
    .option('--backend <name>', 'what computes', 'auto')
    .option('--verify <dir>', 'compare with test_data_set_N/input_K.pb and output_K.pb of a folder')
    .option('--gradcheck', 'compare the input gradient with finite differences')
    .option('--json', 'print JSON')
    .action((model: string, settings: InspectSettings) => finish(inspect(io, model, settings)));
}

async function inspect(io: Io, model: string, settings: InspectSettings): Promise<number> {
  return interruptible(makeLogger(io), async (signal) => {
    const found = await look(io, model, settings, contextOf(io, signal));
    const { description, ...rest } = found;
    const columns = io.stdout.columns ?? 80;
    const text = [
      asText(found, columns),
      ...(found.verified ? [verifiedText(found.verified)] : []),
      ...(found.gradient ? [checkText(found.gradient)] : []),
    ].join('\n');
    io.stdout.write(settings.json ? `${JSON.stringify({ ...description, ...rest })}\n` : text);
    const wrong = (found.verified ?? []).some(({ passed }) => !passed) || isWrong(found.gradient);
    return wrong ? 1 : 0;
  });
}

/** A difference crosses kinks now and then; an operator that is wrong is far off. */
const FAR_OFF = 0.2;

function isWrong(check: GradientCheck | undefined): boolean {
  return (check?.relativeError ?? 0) > FAR_OFF;
}

async function look(io: Io, model: string, settings: InspectSettings, ctx: Context): Promise<Inspection> {
  const { set, defense = [], backend, verify, gradcheck } = settings;
  const registry = new Registry({ bundledPlugins, baseDir: io.cwd });
  const use = await opener(model, io.cwd, registry);
  const { plugin, options } = await openPlugin(
    io,
    'model',
    use ?? model,
    set,
    use === undefined ? {} : { path: model },
  );
  const defenses = await Promise.all(defense.map((each) => openPlugin(io, 'defense', each)));
  const asked = requestOf(settings);
  await startEngine(backend, registry, ctx);
  if ('build' in plugin) {
    if (verify !== undefined || gradcheck) throw silent(plugin.name, 'checks files only');
    const request = completed(asked);
    const description = inspectNetwork(plugin, options, defenses, request, ctx);
    return { model, image: [request.height, request.width, request.channels], description };
  }
  if (!plugin.inspect) throw silent(plugin.name, 'does not tell what it is made of');
  const description = await plugin.inspect(asked, options, ctx);
  const request = completed(asked, description);
  const opened = { plugin, options };
  return {
    model,
    ...(use !== undefined && { use }),
    image: [request.height, request.width, request.channels],
    description,
    ...(verify !== undefined && { verified: await verified(opened, verify, ctx) }),
    ...(gradcheck && { gradient: await gradientOf(opened, request, ctx) }),
  };
}

type Opened = Resolved<'model'> & { readonly plugin: OpenModelPlugin };

async function verified({ plugin, options }: Opened, dir: string, ctx: Context) {
  if (!plugin.verify) throw silent(plugin.name, 'knows no recorded inputs and outputs');
  return plugin.verify(dir, options, ctx);
}

async function gradientOf(
  { plugin, options }: Opened,
  request: ModelRequest,
  ctx: Context,
): Promise<GradientCheck> {
  const none = { ids: [], get: () => Promise.reject(new Error('there are no samples')) };
  // What it decides was shown already.
  const quiet = { ...ctx, log: { ...ctx.log, warn: () => undefined } };
  const segmenter = await plugin.open({ ...request, train: none }, options, quiet);
  try {
    if (segmenter.gradient === false) throw silent(plugin.name, 'has no gradient');
    return await checkGradient(segmenter, request, ctx.random);
  } finally {
    segmenter.dispose();
  }
}

function silent(name: string, what: string): RobustError {
  return new RobustError('USAGE', {
    message: `The model '${name}' ${what}.`,
    where: 'inspect',
    next: 'only networks, and models that implement `inspect`, can be inspected; only files can be checked',
  });
}

const domain = { low: 0, high: 255, step: 1 };

function requestOf({ size, channels, classes }: InspectSettings): InspectRequest {
  const sides = size?.split('x').map((side) => positive('--size', side));
  return {
    domain,
    ...(sides && { height: sides[0]!, width: sides.at(-1)! }),
    ...(channels !== undefined && { channels: positive('--channels', channels) }),
    ...(classes !== undefined && { classes: named(positive('--classes', classes)) }),
  };
}

const named = (count: number) => Array.from({ length: count }, (_, k) => `class ${k}`);

/** What nobody said is what the model says, or customary. */
function completed(asked: InspectRequest, { image, logits }: Partial<ModelDescription> = {}): ModelRequest {
  const [height = 256, width = 256, channels = 1] = image ?? [];
  return { height, width, channels, classes: named(Math.max(2, logits?.at(-1) ?? 2)), ...asked };
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
