import type { OptionsSchema } from '../../../core/index.ts';

/** Options that networks share. */
export const width = {
  description: 'Multiplies the channels of every layer; 1 is the published network.',
  type: 'number',
  exclusiveMinimum: 0,
  maximum: 4,
  default: 1,
} as const satisfies OptionsSchema[string];

const outputs = ['softmax', 'sigmoid'] as const;

/** @param standard what the published network has */
export function output<const D extends (typeof outputs)[number]>(standard: D) {
  return {
    description: 'softmax: one logit per class; sigmoid: one logit for the foreground of two classes.',
    enum: outputs,
    default: standard,
  } as const;
}

export function rate<const D extends number>(description: string, standard: D) {
  return {
    description: `${description}; 0 leaves it out.`,
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: standard,
  } as const;
}

export const alignCorners = {
  description: 'Bilinear resizing with aligned corners; otherwise with half-pixel centres.',
  type: 'boolean',
  default: true,
} as const satisfies OptionsSchema[string];
