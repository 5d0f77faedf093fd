import type { Preset } from '../core/index.ts';

export default {
  summary: 'Figure 5 of the paper: six networks on ISBI 2016 skin lesions under 18 intensities.',
  withoutData:
    'without the data, try it on generated images: robust run preset:isbi-comparison --scale small --phantom',
  config: {
    // The same networks, other images.
    extends: 'preset:jsrt-comparison',
    output: 'runs/isbi-comparison',
    dataset: { use: 'isbi2016', root: './data/isbi2016' },
    subjects: { nlcen: { model: { use: 'nlcen', backbone: 'resnet50' } } },
    training: { epochs: 60, flips: true, rotation: 10 },
    reporters: [
      'terminal',
      'json',
      'html',
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
        subjects: { nlcen: { model: { use: 'nlcen', backbone: 'resnet18' } } },
        limit: 64,
        training: { epochs: 8 },
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
        // A seventh of the images.
        training: { epochs: 20 },
      },
    },
  ],
} satisfies Preset;
