import type { OptionsOf } from '../../../core/index.ts';

/** How an ONNX file becomes a segmenter. */
export const options = {
  path: { description: 'The ONNX file.', type: 'string', minLength: 1 },
  output: {
    description: 'Name of the output to score; the first one when absent.',
    type: ['string', 'null'],
    default: null,
  },
  kind: {
    description: 'What the output holds; auto finds out from the last operator, else from the values.',
    enum: ['auto', 'logits', 'probabilities', 'labels'],
    default: 'auto',
  },
  layout: {
    description: 'Axes of the input: channels first or last; auto finds out from its shape.',
    enum: ['auto', 'nchw', 'nhwc'],
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
    default: [0],
  },
  std: {
    description: 'Divides after subtracting, one value or one for each channel.',
    type: 'array',
    items: { type: 'number', exclusiveMinimum: 0 },
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

export type Options = OptionsOf<typeof options>;
