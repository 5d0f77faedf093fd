import type { OptionsOf } from '../../../core/index.ts';

/** How images go into a network that was made elsewhere, and what comes out of it. */
export const foreignOptions = {
  kind: {
    description: 'What the output holds; auto finds out from the last operator, else from the values.',
    enum: ['auto', 'logits', 'probabilities', 'labels'],
    default: 'auto',
  },
  scale: {
    description:
      "What intensities are multiplied by first, such as 0.5 or '1/255'; null finds out from the first operators, and says how.",
    type: ['number', 'string', 'null'],
    default: null,
  },
  mean: {
    description: 'Subtracted after scaling, one value or one for each channel.',
    type: 'array',
    items: { type: 'number' },
    minItems: 1,
    default: [0],
  },
  std: {
    description: 'Divides after subtracting, one value or one for each channel.',
    type: 'array',
    items: { type: 'number', exclusiveMinimum: 0 },
    minItems: 1,
    default: [1],
  },
  order: {
    description: 'Order of the three channels that the model wants.',
    enum: ['rgb', 'bgr'],
    default: 'rgb',
  },
  multiple: {
    description:
      'Images are padded (by repeating the edge) to sides divisible by this, and the logits cropped.',
    type: 'integer',
    minimum: 1,
    default: 1,
  },
  fit: {
    description:
      'How images come to the size of a model that takes one size only: stretched, or shrunk whole onto a grey canvas.',
    enum: ['stretch', 'letterbox'],
    default: 'stretch',
  },
} as const;

/** What every model with a file of its own takes. */
export const path = { description: 'The file of the model.', type: 'string', minLength: 1 } as const;

/** Which output is scored, by its name. */
export const output = {
  description: 'Name of the output to score; the first one when absent.',
  type: ['string', 'null'],
  default: null,
} as const;

export type ForeignOptions = OptionsOf<typeof foreignOptions>;
