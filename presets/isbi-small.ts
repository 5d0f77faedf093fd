import type { Preset } from '../core/index.ts';

export default {
  summary: 'ISBI 2016 skin lesions at 128 x 128: a small U-Net with and without NLCE, trained and attacked.',
  config: {
    output: 'runs/isbi-small',
    dataset: { use: 'isbi2016', size: 128 },
    subjects: {
      unet: { model: { use: 'unet', width: 1 / 8 } },
      'unet+nlce': { model: { use: 'unet', width: 1 / 8 }, defenses: ['nlce'] },
    },
    training: { epochs: 6, flips: true, schedule: 'cosine' },
  },
} satisfies Preset;
