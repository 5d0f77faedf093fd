import * as tfc from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { RobustError } from './errors/index.ts';
import { installGradients } from './ops/index.ts';
import type {
  BackendContext,
  BackendPlugin,
  CompiledStep,
  Engine,
  OptionsOf,
  OptionsSchema,
  Step,
} from './plugin.ts';
import type { Registry } from './registry/index.ts';
import { selfTest } from './selftest.ts';
import type { Segmenter, TensorFlow } from './vocabulary.ts';

/** TensorFlow.js as plugins receive it. */
export const tensorflow: TensorFlow = Object.freeze({ ...tfl, ...tfc }) as TensorFlow;

interface Candidate {
  readonly plugin: BackendPlugin;
  readonly options: OptionsOf<OptionsSchema>;
}

/**
 * Starts the backend of this process: the one that is named, or with `auto` the most preferred one that is
 * available and passes its self-test.
 *
 * @throws RobustError BACKEND_UNAVAILABLE when the named backend (with `auto`: every backend) cannot run here.
 */
export async function startEngine(
  reference: unknown,
  registry: Registry,
  ctx: BackendContext,
): Promise<Engine> {
  // Before any backend starts: it may register better gradients of its own.
  installGradients();
  if (reference !== 'auto') {
    const named = await registry.open('backend', reference as string, { path: 'backend' });
    const { available, detail, advice } = await named.plugin.probe(named.options, ctx);
    const { name, experimental } = named.plugin;
    if (!available) throw unavailable(`The backend '${name}' cannot run here.`, detail, advice);
    if (experimental !== undefined) ctx.log.warn(`${name} is experimental: ${experimental}`);
    return named.plugin.start(named.options, ctx);
  }
  const reasons: string[] = [];
  for (const { plugin, options } of await preferred(registry)) {
    const { available, detail, advice } = await plugin.probe(options, ctx);
    if (available) {
      const engine = await plugin.start(options, ctx);
      const wrong = (await selfTest(tensorflow)).filter(({ ok }) => !ok).map(({ name }) => name);
      if (wrong.length === 0) return engine;
      ctx.log.warn(`${plugin.name} is left out: its self-test gives wrong results (${wrong.join(', ')})`);
    }
    reasons.push(`${plugin.name}: ${available ? 'it fails its self-test' : detail}`);
    if (advice !== undefined) ctx.log.info(`${plugin.name} would be faster: ${advice}`);
  }
  throw unavailable('No backend can run here.', reasons.join('; '), 'robust doctor');
}

async function preferred(registry: Registry): Promise<Candidate[]> {
  const names = await registry.names('backend');
  const all = await Promise.all(names.map((name) => registry.open('backend', name, { path: 'backend' })));
  return all
    .filter(({ plugin }) => plugin.preference > 0)
    .sort((a, b) => b.plugin.preference - a.plugin.preference);
}

function unavailable(message: string, received: string, advice?: string): RobustError {
  return new RobustError('BACKEND_UNAVAILABLE', {
    message,
    where: 'backend',
    received,
    next: advice ?? "use another one, or 'auto'; `robust doctor` shows what is available",
  });
}

/** Steps in their fastest form, compiled once per key. */
export class StepCache {
  readonly #engine: Engine;
  readonly #steps = new Map<string, Step | CompiledStep>();

  /** A model without a gradient may be any code: only running it gives its answer. */
  constructor(engine: Engine, { gradient }: Pick<Segmenter, 'gradient'> = {}) {
    this.#engine = gradient === false ? { info: engine.info } : engine;
  }

  /** The step itself inside a tidy where the engine has nothing faster. */
  readonly compile = (key: string, step: Step): Step => {
    const known = this.#steps.get(key);
    if (known) return known;
    const made = this.#engine.compile?.(step) ?? ((...inputs) => tfc.tidy(() => step(...inputs)));
    this.#steps.set(key, made);
    return made;
  };

  dispose(): void {
    for (const step of this.#steps.values()) if ('dispose' in step) step.dispose();
    this.#steps.clear();
  }
}
