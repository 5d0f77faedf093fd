import type { Preset } from '../core/index.ts';

export default {
  summary:
    'Figure 1 and 6 of the paper: lungs, perturbations and segmentations of six networks at eps 16 and 32.',
  withoutData:
    'without the data, try it on generated images: robust run preset:jsrt-qualitative --scale small --phantom',
  config: {
    // The same run folder: networks that the comparison has trained are shown as they are.
    extends: 'preset:jsrt-comparison',
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
