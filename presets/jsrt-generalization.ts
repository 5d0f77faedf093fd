import type { Preset } from '../core/index.ts';

export default {
  summary: 'Figure 8 of the paper: five networks on JSRT lungs with and without NLCE.',
  withoutData:
    'without the data, try it on generated images: robust run preset:jsrt-generalization --scale small --phantom',
  config: {
    extends: 'preset:jsrt-comparison',
    output: 'runs/jsrt-generalization',
    subjects: {
      nlcen: null,
      'slsdeep+nlce': { model: 'slsdeep', defenses: ['nlce'] },
      'nwcn+nlce': { model: 'nwcn', defenses: ['nlce'] },
      'unet+nlce': { model: 'unet', defenses: ['nlce'] },
      'invertednet+nlce': { model: 'invertednet', defenses: ['nlce'] },
      'cdnn+nlce': { model: 'cdnn', defenses: ['nlce'] },
    },
    reporters: [
      'terminal',
      'json',
      'html',
      {
        use: 'figure',
        title: 'Figure 8: five networks on JSRT with and without NLCE',
        images: 123,
        caveats: { small: 'reduced widths, 96 x 96 pixels, short training', phantom: 'generated images' },
      },
    ],
  },
  variants: [
    {
      when: ['small'],
      config: {
        output: 'runs/jsrt-generalization-small',
        subjects: {
          'slsdeep+nlce': { model: { use: 'slsdeep', width: 1 / 8 } },
          'nwcn+nlce': { model: { use: 'nwcn', width: 1 / 2 } },
          'unet+nlce': { model: { use: 'unet', width: 1 / 8, dropout: 0 } },
          'invertednet+nlce': {
            model: { use: 'invertednet', width: 1 / 8, dropout: 0 },
            training: { learningRate: 5e-4 },
          },
          'cdnn+nlce': { model: { use: 'cdnn', width: 1 / 4, dropout: 0 } },
        },
      },
    },
    { when: ['phantom'], config: { output: 'runs/jsrt-generalization-phantom' } },
    { when: ['small', 'phantom'], config: { output: 'runs/jsrt-generalization-small-phantom' } },
  ],
} satisfies Preset;
