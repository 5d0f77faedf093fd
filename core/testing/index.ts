/**
 * What tests of plugins need, exported as `robust/testing`: one contract suite per kind of plugin, toy models with
 * closed-form answers and a strict matcher. It runs inside vitest.
 *
 * @packageDocumentation
 */
import './matchers.ts';

export { compare, expectClose, type Comparable, type Comparison, type Tolerance } from './close.ts';
export { makeContext, temporaryFolder, type ContextSettings } from './context.ts';
export * from './contracts.ts';
export { failures, type Check, type ContractSettings } from './checks/check.ts';
export { attackChecks } from './checks/attack.ts';
export { backendChecks } from './checks/backend.ts';
export { datasetChecks, type DatasetSettings } from './checks/dataset.ts';
export { defenseChecks, type DefenseSettings } from './checks/defense.ts';
export { metricChecks, type MetricSettings } from './checks/metric.ts';
export { modelChecks, type ModelSettings } from './checks/model.ts';
export { reporterChecks } from './checks/reporter.ts';
export { constantModel, gradientKiller, inputQuantiser, noiseAdder, priorOnly } from './canaries.ts';
export { imageBatch, maskBatch, samplesOf } from './batches.ts';
export { hostileReport, interruptedReport, sampleReport, undefinedReport } from './report.ts';
export { toyNetwork } from './toy-network.ts';
export * from './toys.ts';
