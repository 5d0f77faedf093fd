import type { OptionsSchema } from '../../../core/index.ts';

/** What the paper leaves open, each with the value of its reference implementations. */
export const options = {
  nonLocal: { description: 'Whether the non-local block is present.', type: 'boolean', default: true },
  contextEncoder: { description: 'Whether the context encoder is present.', type: 'boolean', default: true },
  taps: {
    description: 'Names of the taps to transform; null transforms all.',
    type: ['array', 'null'],
    items: { type: 'string' },
    minItems: 1,
    default: null,
  },
  reduction: {
    description: 'The non-local block works on C / reduction channels.',
    type: 'integer',
    minimum: 1,
    default: 2,
  },
  scaled: {
    description: 'Divide dot products by the square root of their length; equation 1 does not.',
    type: 'boolean',
    default: false,
  },
  subsample: {
    description: '2x2 max-pooling of keys and values; auto: where there are more than 1024 positions.',
    enum: ['auto', 'always', 'never'],
    default: 'auto',
  },
  normGamma: {
    description:
      'Initial gamma of the batch norm after W_z; 0 starts as the identity, null leaves the norm out.',
    type: ['number', 'null'],
    default: 0,
  },
  affinityLimit: {
    description: 'Most entries of the affinity matrix of a batch held at once (4 bytes each).',
    type: 'integer',
    minimum: 1,
    default: 16_777_216,
  },
  encodingWidth: {
    description: 'The context encoder works on min(C, encodingWidth) channels.',
    type: 'integer',
    minimum: 1,
    default: 512,
  },
  codewords: { description: 'Number of codewords K.', type: 'integer', minimum: 1, default: 32 },
  combine: {
    description: 'How the K encodings become one; the sum of equation 3 saturates the gate.',
    enum: ['mean', 'sum'],
    default: 'mean',
  },
  gateBias: {
    description: 'Initial bias of the gate (2 where frozen layers follow); null leaves the bias out.',
    type: ['number', 'null'],
    default: 0,
  },
} as const satisfies OptionsSchema;
