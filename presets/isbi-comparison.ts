import type { Preset } from '../core/index.ts';

export default {
  summary: 'Figure 5 of the paper: six networks on ISBI 2016 skin lesions under 18 intensities.',
  withoutData:
    'without the data, try it on generated images: robust run preset:isbi-comparison --scale small --phantom',
  config: {
    output: 'runs/isbi-comparison',
    dataset: { use: 'isbi2016', root: './data/isbi2016' },
    subjects: {
      slsdeep: { model: 'slsdeep' },
      nwcn: { model: 'nwcn' },
      unet: { model: 'unet' },
      invertednet: { model: 'invertednet' },
      cdnn: { model: 'cdnn' },
      nlcen: { model: { use: 'nlcen', backbone: 'resnet50' }, defenses: ['nlce'] },
      prior: { model: 'prior' },
    },
    training: { epochs: 60, flips: true, rotation: 10 },
    reporters: [
      'terminal',
      'json',
      {
        use: 'figure',
        title: 'Figure 5: six networks on ISBI 2016',
        images: 379,
        published: [
          { subject: 'nlcen', metric: 'dice', eps: 0, value: 0.907 },
          { subject: 'nlcen', metric: 'dice', eps: 32, value: 0.801 },
          { subject: 'nlcen', metric: 'jaccard', eps: 0, value: 0.844 },
          { subject: 'nlcen', metric: 'jaccard', eps: 32, value: 0.704 },
        ],
        caveats: { small: 'reduced widths, 96 x 96 pixels, short training', phantom: 'generated images' },
      },
    ],
  },
  variants: [
    {
      when: ['small'],
      config: {
        output: 'runs/isbi-comparison-small',
        dataset: { use: 'isbi2016', size: 96 },
        subjects: {
          slsdeep: { model: { use: 'slsdeep', width: 1 / 8 } },
          nwcn: { model: { use: 'nwcn', width: 1 / 2 } },
          unet: { model: { use: 'unet', width: 1 / 8, dropout: 0 } },
          invertednet: { model: { use: 'invertednet', width: 1 / 16, dropout: 0 } },
          cdnn: { model: { use: 'cdnn', width: 1 / 2, dropout: 0 } },
          nlcen: { model: { use: 'nlcen', backbone: 'resnet18', width: 1 / 4 } },
        },
        limit: 16,
        eps: [1, 2, 4, 8, 16, 32],
        training: { epochs: 20, schedule: 'cosine', learningRate: 2e-3 },
      },
    },
    {
      when: ['phantom'],
      config: {
        output: 'runs/isbi-comparison-phantom',
        dataset: { use: 'skin-phantom', size: 256, channels: 3, train: 900, test: 379 },
      },
    },
    {
      when: ['small', 'phantom'],
      config: {
        output: 'runs/isbi-comparison-small-phantom',
        dataset: { use: 'skin-phantom', size: 96, train: 128, test: 16 },
      },
    },
  ],
} satisfies Preset;
