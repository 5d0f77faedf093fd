import type { Kind } from '../plugin.ts';
import { training } from './training-schema.ts';
import type { Tree } from './tree.ts';

const subject = {
  type: ['object', 'null'],
  properties: {
    model: reference('model'),
    defenses: list('defense', 'Defenses, applied in this order.'),
    weights: {
      description: 'Folder of the weights; trained weights go there, and are taken from there when present.',
      type: 'string',
      minLength: 1,
    },
    weightsFrom: {
      description:
        'Another subject, whose trained weights are the start wherever layers have the same names.',
      type: 'string',
      minLength: 1,
    },
    tile: {
      description:
        'Cuts images into overlapping tiles for a model of fixed size, which comes with its weights.',
      type: 'object',
      properties: {
        size: { description: 'Rows and columns of a tile.', type: 'integer', minimum: 8 },
        overlap: {
          description: 'Pixels that neighbouring tiles share; a quarter of the size unless it is given.',
          type: 'integer',
          minimum: 0,
        },
      },
      required: ['size'],
      additionalProperties: false,
    },
    training: {
      description: 'Differs from the training settings of the whole run.',
      type: 'object',
      properties: withoutDefaults(training),
      additionalProperties: false,
    },
  },
  required: ['model'],
  additionalProperties: false,
};

const gate = {
  type: ['string', 'object'],
  minLength: 1,
  properties: {
    level: { description: 'What breaking it means.', enum: ['off', 'warn', 'error'] },
    metric: { description: 'The metric that is held to a limit.', type: 'string', minLength: 1 },
    cost: { description: 'The cost that is held to `max`.', enum: ['gradients', 'forwards', 'seconds'] },
    check: { description: 'A check of the audit that must pass, or all.', type: 'string', minLength: 1 },
    subject: { description: 'One subject instead of every one.', type: 'string', minLength: 1 },
    attack: { description: 'One attack instead of every one.', type: 'string', minLength: 1 },
    eps: {
      description: 'One intensity instead of every one; 0 is the clean score.',
      type: ['number', 'string'],
    },
    min: { description: 'The smallest allowed mean.', type: 'number' },
    max: { description: 'The largest allowed mean or cost.', type: 'number' },
    drop: { description: 'The largest allowed worsening against the clean score.', type: 'number' },
    regression: { description: 'The largest allowed worsening against the baseline run.', type: 'number' },
  },
  additionalProperties: false,
} as const;

/**
 * The whole configuration as one JSON Schema: defaults, validation, command-line help and the editor's schema all
 * derive from it. What lies behind a reference is described by the plugins themselves.
 */
export const schema = {
  type: 'object',
  properties: {
    extends: {
      description: 'Presets (preset:NAME) or files that this configuration builds on.',
      type: ['string', 'array'],
      items: { type: 'string' },
    },
    variants: {
      description: 'Variants of presets, by name.',
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
    },
    plugins: {
      description: 'Hook plugins: files or package/name.',
      type: 'array',
      items: { type: 'string' },
    },
    seed: { description: 'Everything random derives from it.', type: 'integer', default: 1 },
    backend: { ...reference('backend'), description: "The engine's name, or auto.", default: 'auto' },
    batch: {
      description: 'Images per engine call, part of what makes a result reproducible; auto takes what fits.',
      type: ['integer', 'string'],
      minimum: 1,
      pattern: '^auto$',
      default: 8,
    },
    memoryLimit: {
      description: 'Mebibytes for batch: auto; null takes half of what is free.',
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
    },
    limit: {
      description: 'Attack only the first so many test images.',
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
    },
    share: {
      description: 'Let budgets share one trajectory where that is exact.',
      type: 'boolean',
      default: true,
    },
    fresh: {
      description: 'Attack again what the run folder holds already; trained weights are kept.',
      type: 'boolean',
      default: false,
    },
    filter: {
      description: 'Run only cells whose id contains this text.',
      type: ['string', 'null'],
      default: null,
    },
    examples: {
      description:
        'Keep pictures of the so many most damaged images of each subject and attack; 0 keeps none.',
      type: 'integer',
      minimum: 0,
      default: 6,
    },
    audit: {
      description:
        'The masking audit: off, quick (checks of a few passes), or full (those that take long, too).',
      enum: ['off', 'quick', 'full'],
      default: 'quick',
    },
    auditAttacks: {
      ...list(
        'attack',
        'Attacks that a full audit brings, and that should reach no further than those of the run.',
      ),
      default: ['square', { use: 'pgd', restarts: 5 }],
    },
    output: { description: 'The run folder.', type: 'string', minLength: 1, default: 'runs/latest' },
    dataset: { ...reference('dataset'), description: 'The annotated images.' },
    subjects: {
      description: 'What is tested, by name; null removes a subject that a preset brought.',
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9_+-]*$' },
      additionalProperties: subject,
    },
    attacks: { ...list('attack', 'The attacks.'), minItems: 1, default: ['targeted-ifgsm'] },
    eps: {
      description: "Attack intensities, in intensity units or as a fraction of the range ('8/255').",
      type: 'array',
      minItems: 1,
      items: { type: ['number', 'string'] },
      default: [0.5, 1, ...Array.from({ length: 16 }, (_, index) => 2 * (index + 1))],
    },
    metrics: { ...list('metric', 'The metrics.'), minItems: 1, default: ['dice', 'jaccard'] },
    reporters: { ...list('reporter', 'What shows the result.'), default: ['terminal', 'json', 'html'] },
    gates: {
      description: "Rules that a run must keep, such as 'dice >= 0.8 at eps 8'.",
      type: 'array',
      items: gate,
      default: [],
    },
    baseline: {
      description: 'The report.json of the run that regression gates compare with.',
      type: ['string', 'null'],
      minLength: 1,
      default: null,
    },
    training: {
      description: "How networks are trained; the defaults are the paper's.",
      type: 'object',
      properties: training,
      additionalProperties: false,
    },
  },
  required: ['dataset', 'subjects'],
  additionalProperties: false,
  $defs: {
    dataset: pluginReference(),
    model: pluginReference(),
    defense: pluginReference(),
    attack: pluginReference(),
    metric: pluginReference(),
    backend: pluginReference(),
    reporter: pluginReference(),
  } satisfies Record<Kind, Tree>,
} as const;

/** The defaults of a schema's properties, nested objects included. */
export function defaultsOf(properties: Tree): Tree {
  const entries = Object.entries(properties as Record<string, { default?: unknown; properties?: Tree }>);
  return Object.fromEntries(
    entries.flatMap(([key, property]) => {
      if (property.default !== undefined) return [[key, property.default]];
      return property.properties ? [[key, defaultsOf(property.properties)]] : [];
    }),
  );
}

function reference(kind: Kind) {
  return { $ref: `#/$defs/${kind}` };
}

function list(kind: Kind, description: string) {
  return { description, type: 'array', items: reference(kind) } as const;
}

function pluginReference() {
  return {
    type: ['string', 'object'],
    minLength: 1,
    properties: {
      use: { description: 'A bundled name, package/name or a file.', type: 'string', minLength: 1 },
    },
    required: ['use'],
  };
}

function withoutDefaults(properties: Readonly<Record<string, Tree>>): Record<string, Tree> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, { default: _default, ...rest }]) => [key, rest] as const),
  );
}
