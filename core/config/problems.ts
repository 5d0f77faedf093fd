import type { ErrorObject } from 'ajv';
import { RobustError, nearest } from '../errors/index.ts';
import { join, type Tree } from './tree.ts';

/** One setting that does not fit. */
export interface Problem {
  readonly path: string;
  readonly expected: string;
  readonly received: string;
  readonly hint?: string;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
};

const limits: readonly (readonly [keyword: string, words: (limit: unknown) => string])[] = [
  ['minimum', (limit) => `at least ${limit}`],
  ['exclusiveMinimum', (limit) => `greater than ${limit}`],
  ['maximum', (limit) => `at most ${limit}`],
  ['exclusiveMaximum', (limit) => `less than ${limit}`],
  ['multipleOf', (limit) => `a multiple of ${limit}`],
  ['minLength', (limit) => (limit === 1 ? 'not empty' : `of at least ${limit} characters`)],
  ['pattern', (limit) => `matching ${limit}`],
  ['minItems', (limit) => `of at least ${limit} ${limit === 1 ? 'item' : 'items'}`],
  ['maxItems', (limit) => `of at most ${limit} ${limit === 1 ? 'item' : 'items'}`],
  ['minProperties', (limit) => `with at least ${limit} ${limit === 1 ? 'entry' : 'entries'}`],
];

/** What a schema accepts, in words: `a whole number, at least 1, or null`. */
export function describeSchema(schema: Tree): string {
  if (Array.isArray(schema['enum'])) return `one of ${schema['enum'].map(quote).join(', ')}`;
  const types = [schema['type'] ?? []].flat() as string[];
  // A pattern that only one word fits is that word.
  const word = /^\^(\w+)\$$/.exec(String(schema['pattern']))?.[1];
  const others = [...(word === undefined ? [] : [quote(word)]), ...(types.includes('null') ? ['null'] : [])];
  const named = types
    .filter((type) => type !== 'null' && !(type === 'string' && word !== undefined))
    .map((type) => typeNames[type] ?? type);
  const bounds = limits.flatMap(([keyword, words]) =>
    keyword in schema && !(keyword === 'pattern' && word !== undefined) ? [words(schema[keyword])] : [],
  );
  const items = schema['items'] === undefined ? [] : [`each item ${describeSchema(schema['items'] as Tree)}`];
  const main = [named.join(' or ') || 'anything', ...bounds, ...items].join(', ');
  return others.length > 0 && named.length > 0
    ? `${main}${bounds.length > 0 ? ',' : ''} or ${others.join(' or ')}`
    : main;
}

/** Ajv's errors (made with `verbose`) as problems, one per setting; `base` is put before every path. */
export function problemsOf(errors: readonly ErrorObject[], base = ''): Problem[] {
  const found = new Map<string, Problem>();
  // A property name that fails its pattern is reported twice; the second report says nothing.
  for (const error of errors.filter(({ keyword }) => keyword !== 'propertyNames')) {
    const problem = problemOf(error, base);
    if (!found.has(problem.path)) found.set(problem.path, problem);
  }
  return [...found.values()];
}

function problemOf(error: ErrorObject, base: string): Problem {
  const path = error.instancePath.split('/').slice(1).map(unescape).reduce<string>(join, base);
  const parent = (error.parentSchema ?? {}) as Tree;
  if (error.keyword === 'additionalProperties')
    return unknownKey(path, String(error.params['additionalProperty']), parent);
  if (error.keyword === 'required') return missingKey(path, String(error.params['missingProperty']), parent);
  if (error.propertyName !== undefined) {
    return {
      path: join(path, error.propertyName),
      expected: `a name ${describeLimits(parent)}`,
      received: quote(error.propertyName),
    };
  }
  return { path, expected: describeSchema(parent), received: quote(error.data) };
}

function describeLimits(schema: Tree): string {
  return describeSchema(schema).replace(/^anything, /, '');
}

function unknownKey(path: string, key: string, parent: Tree): Problem {
  const known = Object.keys((parent['properties'] ?? {}) as Tree).filter((name) => name !== key);
  const best = nearest(key, known);
  const list = known.length > 0 ? `one of ${known.join(', ')}` : 'no settings at all';
  const hint = best === undefined ? {} : { hint: `did you mean '${best}'?` };
  return { path: join(path, key), expected: list, received: `the unknown setting '${key}'`, ...hint };
}

function missingKey(path: string, key: string, parent: Tree): Problem {
  const schema = ((parent['properties'] ?? {}) as Record<string, Tree>)[key] ?? {};
  const described =
    schema['$ref'] === undefined ? describeSchema(schema) : "a plugin's name, or { use: NAME, ... }";
  return { path: join(path, key), expected: described, received: 'nothing' };
}

function unescape(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? `a ${typeof value}`);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text.replace(/^"(.*)"$/, "'$1'");
}

/** All problems as one error: CONFIG_INVALID. `origin` says where a path's value came from. */
export function invalid(
  problems: readonly Problem[],
  origin: (path: string) => string | undefined,
): RobustError {
  const place = ({ path }: Problem) => {
    const from = origin(path);
    return from === undefined ? path : `${path} (${from})`;
  };
  const [first, ...others] = problems;
  if (first && others.length === 0) {
    const { expected, received, hint } = first;
    const parts = { message: `'${first.path}' does not fit.`, where: place(first), expected, received };
    return new RobustError('CONFIG_INVALID', hint === undefined ? parts : { ...parts, next: hint });
  }
  const lines = problems.map((problem) => {
    const { expected, received, hint } = problem;
    return `- ${place(problem)}: expected ${expected}; received ${received}${hint === undefined ? '' : `; ${hint}`}`;
  });
  return new RobustError('CONFIG_INVALID', {
    message: [`${problems.length} settings do not fit:`, ...lines].join('\n'),
    next: 'mend them; robust plan --print-config shows where each value comes from',
  });
}
