import type { Preset } from '../core/index.ts';

export default {
  summary:
    'A small U-Net on generated chest X-rays, with and without NLCE, under all 18 intensities of the paper.',
  config: {
    output: 'runs/quickstart',
    dataset: { use: 'chest-phantom', size: 64, train: 160, test: 16 },
    subjects: {
      unet: { model: { use: 'unet', width: 1 / 8 } },
      'unet+nlce': { model: { use: 'unet', width: 1 / 8 }, defenses: ['nlce'] },
    },
    training: { epochs: 4, learningRate: 2e-3, minLearningRate: 2e-4 },
  },
} satisfies Preset;
