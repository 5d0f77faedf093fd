import type { OptionsOf, OptionsSchema } from '../../plugin.ts';
import type { TensorFlow } from '../../vocabulary.ts';

/** One requirement of a contract; `run` throws when it is not met. */
export interface Check {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

/** How a plugin is exercised. */
export interface ContractSettings {
  /** Options for the plugin, needed where it has some without a default. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The bundled backend that computes, `wasm` unless given: it runs everywhere and lacks the most. */
  readonly backend?: string;
}

/** Runs checks outside a test runner and returns what failed, as `name: message`. */
export async function failures(checks: readonly Check[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of checks) {
    try {
      await run();
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

/** Runs `body` and throws if more or fewer tensors are alive than before. */
export async function expectNoLeak(
  tf: Pick<TensorFlow, 'memory'>,
  body: () => void | Promise<void>,
): Promise<void> {
  const before = tf.memory().numTensors;
  await body();
  const left = tf.memory().numTensors - before;
  if (left !== 0)
    throw new Error(`${left} tensors more than before are alive; use tf.tidy or dispose of them`);
}

/** Computes once, when first asked. */
export function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Checked options with their compile-time type forgotten: the suites serve every schema. */
export type AnyOptions = OptionsOf<OptionsSchema>;
