import type { Preset } from '../core/index.ts';

export default {
  summary: 'Figure 4 of the paper: six networks on JSRT lungs under 18 intensities.',
  withoutData:
    'without the data, try it on generated images: robust run preset:jsrt-comparison --scale small --phantom',
  config: {
    output: 'runs/jsrt-comparison',
    dataset: { use: 'jsrt', root: './data/jsrt' },
    subjects: {
      slsdeep: { model: 'slsdeep' },
      nwcn: { model: 'nwcn' },
      unet: { model: 'unet' },
      invertednet: { model: 'invertednet' },
      cdnn: { model: 'cdnn' },
      nlcen: { model: 'nlcen', defenses: ['nlce'] },
      prior: { model: 'prior' },
    },
    training: { epochs: 200 },
    reporters: [
      'terminal',
      'json',
      'html',
      {
        use: 'figure',
        title: 'Figure 4: six networks on JSRT',
        images: 123,
        published: [
          { subject: 'nlcen', metric: 'dice', eps: 0, value: 0.971 },
          { subject: 'nlcen', metric: 'dice', eps: 32, value: 0.963 },
          { subject: 'nlcen', metric: 'jaccard', eps: 0, value: 0.945 },
          { subject: 'nlcen', metric: 'jaccard', eps: 32, value: 0.929 },
        ],
        caveats: { small: 'reduced widths, 96 x 96 pixels, short training', phantom: 'generated images' },
      },
    ],
  },
  variants: [
    {
      when: ['small'],
      config: {
        output: 'runs/jsrt-comparison-small',
        dataset: { use: 'jsrt', size: 96 },
        subjects: {
          slsdeep: { model: { use: 'slsdeep', width: 1 / 8 } },
          nwcn: { model: { use: 'nwcn', width: 1 / 2 } },
          unet: { model: { use: 'unet', width: 1 / 8, dropout: 0 } },
          invertednet: {
            model: { use: 'invertednet', width: 1 / 8, dropout: 0 },
            training: { learningRate: 5e-4 },
          },
          cdnn: { model: { use: 'cdnn', width: 1 / 4, dropout: 0 } },
          nlcen: { model: { use: 'nlcen', width: 1 / 4 } },
        },
        limit: 16,
        eps: [1, 2, 4, 8, 16, 32],
        training: { epochs: 12, schedule: 'cosine', learningRate: 2e-3 },
      },
    },
    {
      when: ['phantom'],
      config: {
        output: 'runs/jsrt-comparison-phantom',
        dataset: { use: 'chest-phantom', size: 256, train: 124, test: 123 },
      },
    },
    {
      when: ['small', 'phantom'],
      config: { output: 'runs/jsrt-comparison-small-phantom', dataset: { use: 'chest-phantom', size: 96 } },
    },
  ],
} satisfies Preset;
