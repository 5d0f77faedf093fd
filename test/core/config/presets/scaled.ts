import type { Preset } from '../../../../core/index.ts';

export default {
  summary: 'A preset with variants.',
  withoutData: 'or use generated images: --phantom',
  config: { extends: 'preset:tiny', eps: [1, 2, 3] },
  variants: [
    { when: ['small'], config: { eps: [1], dataset: { use: 'folder', size: 16 } } },
    { when: ['phantom'], config: { dataset: { use: 'chest-phantom', size: 64 } } },
    { when: ['small', 'phantom'], config: { dataset: { use: 'chest-phantom', size: 16 } } },
  ],
} satisfies Preset;
