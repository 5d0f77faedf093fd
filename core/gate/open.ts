import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/types.ts';
import type { RunSpec } from '../plan/spec.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import { readReport } from '../store/read-report.ts';
import type { Report } from '../vocabulary.ts';
import { gateOrigins } from './origin.ts';
import { readRules, type Rule } from './rule.ts';

/** The rules of a configuration, and the baseline run that it names. */
export interface Gates {
  readonly rules: readonly Rule[];
  readonly baseline: Report | undefined;
}

/**
 * Reads rules and baseline.
 *
 * @param cwd the folder that origins are relative to
 * @throws RobustError CONFIG_INVALID for a rule that makes no sense, REPORT_INVALID for the baseline
 */
export async function openGates({ value, origins, baseDir }: LoadedConfig, cwd: string): Promise<Gates> {
  const rules = readRules(value.gates, gateOrigins(origins, cwd));
  const { baseline } = value;
  return { rules, baseline: baseline === null ? undefined : await readReport(resolve(baseDir, baseline)) };
}

/**
 * Fails before hours of work when a rule names what the run will not hold.
 *
 * @throws RobustError CONFIG_INVALID with the nearest name
 */
export function checkGates({ rules }: Gates, { subjects, attacks, metrics }: RunSpec): void {
  const known = {
    subject: subjects.map(({ name }) => name),
    attack: attacks.map(({ label }) => label),
    metric: metrics.map(({ plugin }) => plugin.name),
  };
  for (const { config, text, origin } of rules) {
    for (const kind of ['subject', 'attack', 'metric'] as const) {
      const name = config[kind];
      if (name === undefined || known[kind].includes(name)) continue;
      throw new RobustError('CONFIG_INVALID', {
        message: `A gate names a ${kind} that this run does not have.`,
        where: origin === undefined ? text : `${text} (${origin})`,
        received: name,
        next: suggestion(name, known[kind]),
      });
    }
  }
}
