import type { AttackSpec } from '../plan/spec.ts';
import type { SubjectSweep } from '../sweep/sweep.ts';
import type { AuditLevel, AuditResult, Row } from '../vocabulary.ts';
import { notRun, type AuditCheck, type Finding } from './check.ts';
import { RobustError } from '../errors/index.ts';
import { SubjectAudit, type Earlier, type Opponents } from './subject.ts';

/**
 * Whether the numbers of one subject can be trusted: every check of the `audit` hook, once or for every attack. Nothing
 * when the audit is off, the run was interrupted, or the subject says itself that it does not look at the image.
 */
export async function auditSubject(
  sweep: SubjectSweep,
  rows: readonly Row[],
  level: AuditLevel,
  opponents: Opponents = { rivals: [], earlier: [] },
): Promise<AuditResult[]> {
  if (level === 'off' || sweep.segmenter.blind || sweep.ctx.signal.aborted) return [];
  const checks = sweep.hooks.audit.call([]).filter((check) => level === 'full' || check.level === 'quick');
  const audit = await SubjectAudit.open(sweep, rows, opponents);
  try {
    const tasks = checks.flatMap((check) =>
      (check.per === 'attack' ? audit.attacks : [undefined]).map((attack) => ({ check, attack })),
    );
    const results: AuditResult[] = [];
    for (const [done, { check, attack }] of tasks.entries()) {
      const which = { check: check.name, ...(attack && { attack: attack.label }) };
      sweep.hooks.auditing.call({ subject: audit.subject, ...which, done, total: tasks.length });
      results.push(await result(check, audit, attack));
    }
    if (level === 'full') opponents.earlier.push(...(await made(audit)));
    return results;
  } catch (error) {
    if (sweep.ctx.signal.aborted) return [];
    throw error;
  } finally {
    audit.dispose();
  }
}

/** What later subjects are shown: the images of every attack at some intensities. */
async function made(audit: SubjectAudit): Promise<Earlier[]> {
  const all: Earlier[] = [];
  for (const attack of audit.attacks) {
    for (const eps of audit.probes(attack))
      all.push({ label: attack.label, eps, images: (await audit.attacked(attack, eps)).images });
  }
  return all;
}

async function result(check: AuditCheck, audit: SubjectAudit, attack?: AttackSpec): Promise<AuditResult> {
  const { verdict, numbers, message } = await finding(check, audit, attack);
  return {
    check: check.name,
    title: check.title,
    subject: audit.subject,
    ...(attack && { attack: attack.label }),
    ...{ verdict, numbers, message },
    advice: verdict === 'pass' || verdict === 'not-run' ? '' : check.advice,
  };
}

/** A check that breaks has failed: hours of attack are not lost for it, and nobody takes its silence for a pass. */
async function finding(check: AuditCheck, audit: SubjectAudit, attack?: AttackSpec): Promise<Finding> {
  try {
    return await (check.per === 'attack' ? check.run(audit, attack!) : check.run(audit));
  } catch (error) {
    audit.ctx.signal.throwIfAborted();
    if (error instanceof RobustError && error.code === 'GRADIENT_MISSING')
      return notRun('The model has no gradient: only attacks that need none test it.');
    const reason = error instanceof Error ? error.message : String(error);
    return { verdict: 'fail', numbers: {}, message: `The check itself broke: ${reason}` };
  }
}
