import type { AttackPlugin } from '../../../core/index.ts';
import { Bench, type Outcome, type Trial } from '../../../core/testing/checks/bench.ts';
import { engineOf } from '../../../core/testing/context.ts';
import { makeContext } from '../../../core/testing/index.ts';

/** What an attack makes of samples, run and verified as core does. */
export async function attack(
  plugin: AttackPlugin,
  options: Record<string, unknown>,
  trial: Trial,
): Promise<Outcome> {
  return new Bench(plugin, { options }, await makeContext(), await engineOf()).run(trial);
}
