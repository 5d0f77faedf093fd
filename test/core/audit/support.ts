import { createHooks } from '../../../core/hooks.ts';
import type {
  AttackPlugin,
  AuditCheck,
  AuditEvent,
  AuditResult,
  Context,
  Dataset,
  MetricPlugin,
  Segmenter,
} from '../../../core/index.ts';
import { installPlugin } from '../../../core/install.ts';
import { auditSubject } from '../../../core/audit/audit.ts';
import type { Earlier } from '../../../core/audit/subject.ts';
import { checks } from '../../../core/audit/checks/index.ts';
import { sweepSubject, type SubjectSweep } from '../../../core/sweep/sweep.ts';
import { verifyCandidate } from '../../../core/sweep/verify.ts';
import { engineOf } from '../../../core/testing/context.ts';
import { temporaryFolder } from '../../../core/testing/index.ts';
import { resolveOptions } from '../../../core/registry/index.ts';
import dice from '../../../plugins/metrics/dice.ts';
import jaccard from '../../../plugins/metrics/jaccard.ts';
import ifgsm from '../../../plugins/attacks/targeted-ifgsm.ts';

export interface Setting {
  ctx: Context;
  dataset: Dataset;
  segmenter: Segmenter;
  attack?: AttackPlugin;
  eps?: readonly number[];
  images?: number;
  batch?: number;
  level?: 'off' | 'quick' | 'full';
  /** Dice and Jaccard unless given. */
  metrics?: readonly MetricPlugin[];
  /** Attacks that only the audit brings. */
  rivals?: readonly AttackPlugin[];
  /** What earlier subjects left. */
  earlier?: Earlier[];
  /** Checks beside the bundled ones. */
  more?: readonly AuditCheck[];
  onCheck?: (event: AuditEvent) => void;
}

/** Attacks a model and audits that, as the runner does. */
export async function audit(setting: Setting): Promise<AuditResult[]> {
  const { ctx, dataset, segmenter, attack = ifgsm as never, eps = [2, 8], images = 4, batch = 4 } = setting;
  const hooks = createHooks();
  hooks.verify.tap('core', verifyCandidate);
  hooks.audit.tap('core', (before) => [...before, ...checks, ...(setting.more ?? [])]);
  if (setting.onCheck) hooks.auditing.tap('test', setting.onCheck);
  const chosen = setting.metrics ?? ([dice, jaccard] as never as MetricPlugin[]);
  const metrics = chosen.map((plugin) => ({ plugin, options: resolveOptions(plugin) }));
  const labelled = (plugin: AttackPlugin) => ({
    plugin,
    options: resolveOptions(plugin),
    label: plugin.name,
  });
  const attacks = [labelled(attack as AttackPlugin)];
  const rivals = (setting.rivals ?? []).map(labelled);
  for (const plugin of [attack, ...chosen, ...(setting.rivals ?? [])]) installPlugin(hooks, plugin as never);
  const sweep: SubjectSweep = {
    ...{ name: 'toy', ctx, dataset, segmenter, attacks, metrics, images, batch, hooks },
    ...{ share: true, seed: 0, fresh: false, dir: temporaryFolder(), engine: await engineOf() },
    cells: eps.map((value) => ({
      ...{ id: `toy/${attack.name}/${value}`, subject: 'toy', attack: attack.name, eps: value },
      ...{ steps: null, shared: null, stepSize: null, gradients: null },
    })),
  };
  const { rows } = await sweepSubject(sweep);
  const opponents = { rivals, earlier: setting.earlier ?? [] };
  return auditSubject(sweep, rows, setting.level ?? 'quick', opponents);
}

/** Names of the checks that gave a verdict. */
export function named(results: readonly AuditResult[], verdict: AuditResult['verdict']): string[] {
  return results.filter((result) => result.verdict === verdict).map(({ check }) => check);
}
