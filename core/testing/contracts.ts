import { describe, it } from 'vitest';
import { attackChecks } from './checks/attack.ts';
import { backendChecks } from './checks/backend.ts';
import type { Check } from './checks/check.ts';
import { datasetChecks } from './checks/dataset.ts';
import { defenseChecks } from './checks/defense.ts';
import { metricChecks } from './checks/metric.ts';
import { modelChecks } from './checks/model.ts';
import { reporterChecks } from './checks/reporter.ts';

/** Declares a contract's checks as vitest tests: a plugin's whole test file is one call. */
function contract<P extends { readonly kind: string; readonly name: string }, S>(
  checks: (plugin: P, settings?: S) => readonly Check[],
): (plugin: P, settings?: S) => void {
  return (plugin, settings) => {
    describe(`the ${plugin.kind} ${plugin.name}`, () => {
      for (const { name, run } of checks(plugin, settings)) it(name, run);
    });
  };
}

export const datasetContract = contract(datasetChecks);
export const modelContract = contract(modelChecks);
export const defenseContract = contract(defenseChecks);
export const attackContract = contract(attackChecks);
export const metricContract = contract(metricChecks);
export const backendContract = contract(backendChecks);
export const reporterContract = contract(reporterChecks);
