import type { AttackSpec } from '../plan/spec.ts';
import type { AuditLevel, Verdict } from '../vocabulary.ts';
import type { SubjectAudit } from './subject.ts';

/** What a check found. */
export interface Finding {
  readonly verdict: Verdict;
  /** What was measured; `images`, where it counts, is the number of images it was measured on. */
  readonly numbers: Readonly<Record<string, number | null>>;
  /** What was seen, in one sentence. */
  readonly message: string;
}

interface Described {
  /** Kebab-case. */
  readonly name: string;
  /** What is true when it passes, in a few words. */
  readonly title: string;
  /** `quick` for what costs a few passes over the audited images, and runs unless the audit is off. */
  readonly level: Exclude<AuditLevel, 'off'>;
  /** What to do when it does not pass, in one sentence. */
  readonly advice: string;
}

/** A check of a model. */
export interface SubjectCheck extends Described {
  readonly per: 'subject';
  run(audit: SubjectAudit): Finding | Promise<Finding>;
}

/** A check of an attack on a model; it runs for every attack of the configuration. */
export interface AttackCheck extends Described {
  readonly per: 'attack';
  run(audit: SubjectAudit, attack: AttackSpec): Finding | Promise<Finding>;
}

/** One check of the masking audit. The numbers it draws come from `audit.ctx.random`, keyed by sample. */
export type AuditCheck = SubjectCheck | AttackCheck;

/** How far the audit of a subject is. */
export interface AuditEvent {
  readonly subject: string;
  /** The check that begins, and for an attack's check the attack. */
  readonly check: string;
  readonly attack?: string;
  /** Checks that are done, of how many. */
  readonly done: number;
  readonly total: number;
}

/** A check that has nothing to look at. */
export function notRun(reason: string): Finding {
  return { verdict: 'not-run', numbers: {}, message: reason };
}

/** `warn` and `fail` are the largest values that still pass and still only warn. */
export function graded(value: number, { warn, fail }: { warn: number; fail: number }): Verdict {
  if (value <= warn) return 'pass';
  return value <= fail ? 'warn' : 'fail';
}
