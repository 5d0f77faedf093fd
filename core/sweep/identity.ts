import { createHash } from 'node:crypto';
import type { Resolved } from '../config/types.ts';
import type { Hooks } from '../hooks.ts';
import type { Plugin } from '../plugin.ts';
import type { JournalKey } from '../store/journal.ts';
import { versions } from '../versions.ts';
import { cellsOf, type SubjectSweep } from './sweep.ts';

/**
 * What decides the rows of one attack (`null`: of the clean images) on one subject, beside the images of a batch. The
 * code of plugins and of those who wrap them is part of it; what they import is not.
 */
export function journalKey(sweep: SubjectSweep, attack: string | null): JournalKey {
  const { name, segmenter, dataset, engine, seed, batch, hooks, metrics } = sweep;
  const { robust, tfjs } = versions();
  const chosen = sweep.attacks.filter(({ label }) => label === attack);
  return {
    robust,
    tfjs,
    engine: engine.info,
    seed,
    batch,
    dataset: dataset.fingerprint,
    subject: name,
    fingerprint: segmenter.fingerprint,
    metrics: metrics.map((metric) => identity(metric, hooks)),
    attack: chosen.map((plugin) => identity(plugin, hooks)),
    eps: cellsOf(sweep, attack).map(({ eps }) => eps),
    share: sweep.share,
  };
}

function identity({ plugin, options }: Resolved<'attack' | 'metric'>, hooks: Hooks) {
  const { taps } = hooks[plugin.kind].for(plugin.name) as { taps: readonly { name: string; fn: unknown }[] };
  return { name: plugin.name, options, code: hash([codeOf(plugin), ...taps.map(codeOf)]) };
}

function codeOf(thing: Plugin | { readonly name: string; readonly fn: unknown }): string {
  return JSON.stringify(thing, (_key, value: unknown) =>
    typeof value === 'function' ? String(value) : value,
  );
}

function hash(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 12);
}
