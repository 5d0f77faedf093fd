import { isAbsolute, join, resolve } from 'node:path';
import type { CompleteConfig, LoadedConfig, Reference, Resolved } from '../config/index.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import type { Kind } from '../plugin.ts';
import { split, type Registry } from '../registry/index.ts';
import type { SubjectSpec } from '../subjects/request.ts';
import type { AuditLevel } from '../vocabulary.ts';

/** An attack under the name that cells and curves carry. */
export interface AttackSpec extends Resolved<'attack'> {
  readonly label: string;
}

/** A configuration whose references are plugins. */
export interface RunSpec {
  readonly seed: number;
  readonly batch: number | 'auto';
  /** Bytes that the process may hold under `batch: 'auto'`. */
  readonly memoryLimit: number | null;
  readonly limit: number | null;
  readonly share: boolean;
  readonly fresh: boolean;
  readonly filter: string | null;
  /** Images to keep pictures of, for each subject and attack. */
  readonly examples: number;
  readonly audit: AuditLevel;
  /** Absolute path of the run folder. */
  readonly output: string;
  readonly baseDir: string;
  readonly dataset: Resolved<'dataset'>;
  readonly subjects: readonly SubjectSpec[];
  readonly attacks: readonly AttackSpec[];
  readonly eps: readonly (number | string)[];
  /** What only a full audit attacks with. */
  readonly rivals: readonly AttackSpec[];
  readonly metrics: readonly Resolved<'metric'>[];
  readonly reporters: readonly Resolved<'reporter'>[];
  readonly loaded: LoadedConfig;
}

/** Resolves every reference of a configuration. */
export async function resolveSpec(loaded: LoadedConfig, registry: Registry): Promise<RunSpec> {
  const config = loaded.value as CompleteConfig;
  const { baseDir, origins } = loaded;
  const open = <K extends Kind>(kind: K, reference: Reference<K>, path: string) =>
    registry.open(kind, reference, { path, origins, baseDir });
  const each = <K extends Kind>(kind: K, references: readonly Reference<K>[], path: string) =>
    Promise.all(references.map((reference, index) => open(kind, reference, `${path}.${index}`)));
  if (config.dataset === undefined) throw missing('dataset', "dataset: 'chest-phantom'");
  const subjects = Object.entries(config.subjects).map(async ([name, subject]): Promise<SubjectSpec> => ({
    name,
    model: await open('model', subject.model, `subjects.${name}.model`),
    defenses: await each('defense', subject.defenses ?? [], `subjects.${name}.defenses`),
    weights: subject.weights === undefined ? null : resolve(baseDir, subject.weights),
    weightsFrom: subject.weightsFrom ?? null,
    tile: subject.tile ? { overlap: Math.floor(subject.tile.size / 4), ...subject.tile } : null,
    training: { ...config.training, ...subject.training },
  }));
  checkOrigins(config.subjects);
  const rivals = config.audit === 'full' ? config.auditAttacks : [];
  if (subjects.length === 0) throw missing('subjects', "subjects: { unet: { model: 'unet' } }");
  return {
    seed: config.seed,
    batch: config.batch,
    memoryLimit: config.memoryLimit === null ? null : config.memoryLimit * 2 ** 20,
    limit: config.limit,
    share: config.share,
    fresh: config.fresh,
    filter: config.filter,
    examples: config.examples,
    audit: config.audit,
    rivals: labelled(await each('attack', rivals, 'auditAttacks'), rivals),
    output: isAbsolute(config.output) ? config.output : join(baseDir, config.output),
    baseDir,
    dataset: await open('dataset', config.dataset, 'dataset'),
    subjects: await Promise.all(subjects),
    attacks: labelled(await each('attack', config.attacks, 'attacks'), config.attacks),
    eps: config.eps,
    metrics: await each('metric', config.metrics, 'metrics'),
    reporters: await each('reporter', config.reporters, 'reporters'),
    loaded,
  };
}

/** An attack that is listed more than once is told apart by its options, and where they are equal by a number. */
function labelled(
  attacks: readonly Resolved<'attack'>[],
  references: readonly Reference<'attack'>[],
): AttackSpec[] {
  const plain = attacks.map((attack, index) => {
    const { name } = attack.plugin;
    const repeated = attacks.filter(({ plugin }) => plugin.name === name).length > 1;
    const options = Object.entries(split(references[index]!).options);
    if (!repeated || options.length === 0) return name;
    return `${name}(${options.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')})`;
  });
  return attacks.map((attack, index) => {
    const earlier = plain.slice(0, index).filter((label) => label === plain[index]).length;
    return { ...attack, label: earlier === 0 ? plain[index]! : `${plain[index]}#${earlier + 1}` };
  });
}

/** Every subject that another one starts from must be there, and no chain of them may close. */
function checkOrigins(subjects: CompleteConfig['subjects']): void {
  for (const name of Object.keys(subjects)) {
    const chain = [name];
    for (let next = subjects[name]!.weightsFrom; next !== undefined; next = subjects[next]!.weightsFrom) {
      const closed = chain.includes(next);
      chain.push(next);
      if (next in subjects && !closed) continue;
      throw new RobustError('CONFIG_INVALID', {
        message: closed ? 'These subjects start from each other.' : `There is no subject '${next}'.`,
        where: `subjects.${chain.at(-2)}.weightsFrom`,
        expected: 'another subject, which does not start from this one',
        received: chain.join(' <- '),
        next: closed ? 'let one of them start from random weights' : suggestion(next, Object.keys(subjects)),
      });
    }
  }
}

function missing(path: string, example: string): RobustError {
  return new RobustError('CONFIG_INVALID', {
    message: `The configuration names no ${path}.`,
    where: path,
    expected: example,
    next: 'name one in robust.config.ts, or start from a preset: robust run preset:quickstart',
  });
}
