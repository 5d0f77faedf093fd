/**
 * The public door of `robust`: everything that a plugin, a configuration file or a program may use.
 *
 * @packageDocumentation
 */
export type * from './vocabulary.ts';
export * from './plugin.ts';
export type * from './models/description.ts';
export { describeLayer } from './models/inspect.ts';
export { RobustError, codes, nearest, suggestion, type ErrorCode, type ErrorParts } from './errors/index.ts';
export { classLogits, crossEntropy, inverseMask, meanCrossEntropy, oneHot } from './gradients/losses.ts';
export { clipToBall, clipToRange } from './sweep/box.ts';
export { readExample } from './examples/files.ts';
export * as layers from './layers/index.ts';
export * from './images/index.ts';
export { IGNORED } from './dataset.ts';
export { defineConfig, loadConfig, parseEps, type ConfigRequest } from './config/index.ts';
export type * from './config/types.ts';
export { Registry, configSchema, optionsSchema, resolveOptions, type Resolver } from './registry/index.ts';
export { Runner, type RunnerOptions, type Screen } from './runner.ts';
export type { Hooks, ProgressEvent, TrainingEvent } from './hooks.ts';
export type { Cell, Plan } from './plan/plan.ts';
export type { Preset } from './config/presets.ts';
export { auditText } from './audit/text.ts';
export { gateText, worstVerdict } from './gate/text.ts';
export { groupBy } from './statistics/group.ts';
export { plain, short } from './text.ts';
export { reportSchema } from './report-schema.ts';
export type { AttackCheck, AuditCheck, AuditEvent, Finding, SubjectCheck } from './audit/check.ts';
export type { Attacked, Objective, SubjectAudit } from './audit/subject.ts';
export { selfTest, type SelfTestResult } from './selftest.ts';
export { importDefault } from './config/module.ts';
export { padExplicitly } from './ops/explicit-padding.ts';
