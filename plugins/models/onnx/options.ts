import type { OptionsOf } from '../../../core/index.ts';
import { foreignOptions, output, path } from '../foreign/options.ts';

/** How an ONNX file becomes a segmenter. */
export const options = {
  path,
  output,
  layout: {
    description: 'Axes of the input: channels first or last; auto finds out from its shape.',
    enum: ['auto', 'nchw', 'nhwc'],
    default: 'auto',
  },
  ...foreignOptions,
} as const;

export type Options = OptionsOf<typeof options>;
