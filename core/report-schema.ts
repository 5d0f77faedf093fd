/**
 * JSON Schema of report.json. A reader that finds the `schema` it knows may rely on everything here; what is added
 * later does not change the version, what changes meaning does.
 */
const number = { type: 'number' };
const nullable = { type: ['number', 'null'] };
const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

function object(
  properties: Record<string, unknown>,
  optional: Record<string, unknown> = {},
): Record<string, unknown> {
  return { type: 'object', properties: { ...properties, ...optional }, required: Object.keys(properties) };
}

function list(items: unknown): Record<string, unknown> {
  return { type: 'array', items };
}

const cost = object({
  gradients: { ...count, description: 'Gradient evaluations, counted per image.' },
  forwards: { ...count, description: 'Forward passes, counted per image.' },
  seconds: { type: 'number', minimum: 0 },
});

const point = object({
  eps: { ...number, description: 'Attack intensity in intensity units; 0 is the clean score.' },
  mean: { ...nullable, description: 'Mean over images; null when no image has a value.' },
  low: { ...nullable, description: 'Lower bound of the 95 % interval of the mean.' },
  high: { ...nullable, description: 'Upper bound of the 95 % interval of the mean.' },
  pooled: { ...nullable, description: 'The metric of the counts summed over all images.' },
  n: { ...count, description: 'Images with a defined value.' },
  undefined: { ...count, description: 'Images whose value is undefined.' },
});

const metadata = {
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
  description: 'What the data set tells about the image.',
};

const row = object(
  {
    cell: text,
    subject: text,
    attack: { ...text, description: "The attack's label; 'clean' for untouched images." },
    eps: number,
    sample: text,
    group: text,
    linf: { ...number, description: 'Largest absolute change of a pixel.' },
    gradients: { ...count, description: 'Gradients beyond those that smaller budgets needed too.' },
    values: { type: 'object', additionalProperties: nullable },
    confusion: list(object({ tp: count, fp: count, fn: count, tn: count })),
  },
  { metadata },
);

const gate = object(
  {
    rule: { ...text, description: 'The rule as the person wrote it.' },
    level: { enum: ['warn', 'error'] },
    verdict: { enum: ['pass', 'warn', 'fail', 'inconclusive', 'error'] },
    measured: { ...nullable, description: 'The mean, the mean worsening, or the cost.' },
    low: nullable,
    high: nullable,
    threshold: nullable,
    message: text,
  },
  { metric: text, subject: text, attack: text, eps: number, origin: text },
);

const check = object(
  {
    check: text,
    title: text,
    subject: text,
    verdict: { enum: ['pass', 'warn', 'fail', 'not-run'] },
    numbers: { type: 'object', additionalProperties: nullable },
    message: { ...text, description: 'What was seen.' },
    advice: { ...text, description: 'What to do; empty where nothing is wrong.' },
  },
  { attack: text },
);

const curve = object(
  { subject: text, attack: text, metric: text, points: list(point) },
  {
    better: { enum: ['higher', 'lower'], description: 'Whether larger values of the metric are better.' },
    summary: object({
      area: { ...nullable, description: 'Mean height of the curve up to areaTo.' },
      areaTo: number,
      envelope: { ...list(nullable), description: 'Mean over images of the worst value so far, per point.' },
      crossings: list(object({ level: number, eps: nullable })),
    }),
  },
);

const epoch = object({
  epoch: { ...count, description: 'From 1.' },
  loss: { ...number, description: 'Mean over the steps of the epoch.' },
  learningRate: number,
  dice: { ...number, description: 'Mean over a few training images.' },
  validation: { ...nullable, description: 'Mean Dice over held-out images; null without any.' },
  seconds: number,
});

const example = object({
  subject: text,
  attack: { ...text, description: 'Whose damage ranked the image, also where eps is 0.' },
  eps: number,
  sample: text,
  image: { ...text, description: 'PNG file, relative to the run folder.' },
  adversarial: text,
  truth: text,
  prediction: text,
});

const memory = object({
  peakBytes: { ...count, description: 'The most that the process held.' },
  tensors: { ...count, description: 'Tensors left when the last subject was closed.' },
});

const comparison = object({
  metric: text,
  attack: text,
  eps: number,
  subject: text,
  reference: { ...text, description: "A subject; 'baseline:NAME' is one of the baseline run." },
  difference: { ...nullable, description: 'Mean over images of subject minus reference.' },
  low: nullable,
  high: nullable,
  p: { ...nullable, description: "Wilcoxon's signed-rank test, two-sided." },
  pHolm: { ...nullable, description: 'The same, corrected over all cells of the metric.' },
  n: count,
  undefined: count,
});

export const reportSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'robust report',
  ...object(
    {
      schema: { const: 'robust-report/1' },
      status: { enum: ['complete', 'interrupted'] },
      startedAt: text,
      seed: { type: 'integer' },
      engine: object({ backend: text, version: text, device: text, threads: count }),
      versions: { type: 'object', additionalProperties: text },
      dataset: object({
        name: text,
        fingerprint: text,
        classes: list(text),
        size: { ...list(count), minItems: 3, maxItems: 3 },
        domain: object({ low: number, high: number, step: number }),
        images: count,
        notes: list(text),
      }),
      subjects: list(
        object(
          {
            name: text,
            model: text,
            defenses: list(text),
            fingerprint: text,
            parameters: { type: ['integer', 'null'] },
            cost,
          },
          {
            blind: { const: true, description: 'A baseline that does not look at the image.' },
            gradient: { const: false, description: 'A model without a gradient.' },
            notes: list(text),
            training: list(epoch),
            batch: { ...count, description: 'Images per engine call, where they were chosen.' },
          },
        ),
      ),
      curves: list(curve),
      rows: list(row),
      cost,
      configuration: { type: 'object' },
      origins: { type: 'object', additionalProperties: text },
    },
    { memory, comparisons: list(comparison), examples: list(example), audit: list(check), gates: list(gate) },
  ),
};
