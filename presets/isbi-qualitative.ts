import type { Preset } from '../core/index.ts';

export default {
  summary:
    'Figure 6 of the paper: skin lesions, perturbations and segmentations of six networks at eps 16 and 32.',
  withoutData:
    'without the data, try it on generated images: robust run preset:isbi-qualitative --scale small --phantom',
  config: {
    // The same run folder: networks that the comparison has trained are shown as they are.
    extends: 'preset:isbi-comparison',
    eps: [16, 32],
    limit: 2,
    examples: 2,
    reporters: ['terminal', 'grid'],
  },
  variants: [
    { when: ['small'], config: { eps: [16, 32], limit: 2 } },
    { when: ['phantom'], config: {} },
  ],
} satisfies Preset;
