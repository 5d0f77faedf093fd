/** JSON Schema of the training settings, by name. */
export const training = {
  epochs: { description: 'Passes over the training images.', type: 'integer', minimum: 1, default: 60 },
  batch: { description: 'Training images per step.', type: 'integer', minimum: 1, default: 8 },
  learningRate: { description: 'Step size of Adam.', type: 'number', exclusiveMinimum: 0, default: 1e-3 },
  schedule: {
    description:
      "How the learning rate falls: 'plateau' when the loss stops falling, 'cosine' from the first to the last epoch.",
    enum: ['plateau', 'cosine'],
    default: 'plateau',
  },
  minLearningRate: {
    description: 'The schedule never goes below this.',
    type: 'number',
    minimum: 0,
    default: 1e-4,
  },
  factor: {
    description: 'On a plateau the learning rate is multiplied by this.',
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.9,
  },
  patience: {
    description: 'Epochs without improvement that make a plateau.',
    type: 'integer',
    minimum: 0,
    default: 10,
  },
  weightDecay: {
    description: "L2 penalty added to the gradient, as PyTorch's Adam does.",
    type: 'number',
    minimum: 0,
    default: 1e-4,
  },
  flips: { description: 'Random horizontal and vertical flips.', type: 'boolean', default: false },
  rotation: {
    description: 'Largest random rotation in degrees, either way.',
    type: 'number',
    minimum: 0,
    maximum: 180,
    default: 0,
  },
  freeze: {
    description:
      'Layers that learn nothing: names with * for any text; !name lets a layer learn, the last match counts.',
    type: 'array',
    items: { type: 'string', minLength: 1 },
    default: [],
  },
  validation: {
    description: 'Part of the training images that is held out to score each epoch.',
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
  },
  stopAfter: {
    description:
      'End after so many epochs without a better one: by Dice of the held-out images, else by training loss.',
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
  },
  keep: {
    description: 'The weights that are used: those of the last epoch, or of the best one.',
    enum: ['last', 'best'],
    default: 'last',
  },
} as const;
