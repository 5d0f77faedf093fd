import type { Config } from '../../../../core/index.ts';

const config: Config = {
  dataset: { use: 'folder', root: './data', size: 32 },
  subjects: {
    plain: { model: { use: 'unet', width: 4 } },
    defended: { model: { use: 'unet', width: 4 }, defenses: ['nlce'] },
  },
  training: { epochs: 3 },
};

export default { summary: 'A small configuration for tests.', config };
