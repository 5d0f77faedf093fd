import type { Preset } from '../core/index.ts';

/** Step 2 of the protocol: start from the network without NLCE, and let nothing but the modules learn. */
const modulesAlone = { weightsFrom: 'wo-nlce', training: { freeze: ['*', '!*_nlce_*'] } };

const small = { model: { use: 'nlcen', width: 1 / 4 } };

export default {
  summary: 'Figure 7 of the paper: what each half of NLCE is worth, by fine-tuning with frozen layers.',
  withoutData:
    'without the data, try it on generated images: robust run preset:jsrt-ablation --scale small --phantom',
  config: {
    output: 'runs/jsrt-ablation',
    dataset: { use: 'jsrt', root: './data/jsrt' },
    subjects: {
      'wo-nlce': { model: 'nlcen' },
      'wo-nl': { model: 'nlcen', defenses: [{ use: 'nlce', nonLocal: false, gateBias: 2 }], ...modulesAlone },
      'wo-ce': { model: 'nlcen', defenses: [{ use: 'nlce', contextEncoder: false }], ...modulesAlone },
      nlcen: { model: 'nlcen', defenses: [{ use: 'nlce', gateBias: 2 }], ...modulesAlone },
      'fine-tuned': {
        model: 'nlcen',
        defenses: [{ use: 'nlce', gateBias: 2 }],
        weightsFrom: 'nlcen',
        training: { learningRate: 1e-4 },
      },
      prior: { model: 'prior' },
    },
    training: { epochs: 200 },
    reporters: [
      'terminal',
      'json',
      'html',
      {
        use: 'figure',
        title: 'Figure 7: parts of NLCE on JSRT',
        images: 123,
        published: [
          { subject: 'fine-tuned', metric: 'dice', eps: 0, value: 0.971 },
          { subject: 'fine-tuned', metric: 'dice', eps: 32, value: 0.963 },
          { subject: 'fine-tuned', metric: 'jaccard', eps: 0, value: 0.945 },
          { subject: 'fine-tuned', metric: 'jaccard', eps: 32, value: 0.929 },
        ],
        caveats: { small: 'reduced widths, 96 x 96 pixels, short training', phantom: 'generated images' },
      },
    ],
  },
  variants: [
    {
      when: ['small'],
      config: {
        output: 'runs/jsrt-ablation-small',
        dataset: { use: 'jsrt', size: 96 },
        subjects: { 'wo-nlce': small, 'wo-nl': small, 'wo-ce': small, nlcen: small, 'fine-tuned': small },
        limit: 16,
        eps: [1, 2, 4, 8, 16, 32],
        training: { epochs: 20, schedule: 'cosine', learningRate: 2e-3 },
      },
    },
    {
      when: ['phantom'],
      config: {
        output: 'runs/jsrt-ablation-phantom',
        dataset: { use: 'chest-phantom', size: 256, train: 124, test: 123 },
      },
    },
    {
      when: ['small', 'phantom'],
      config: { output: 'runs/jsrt-ablation-small-phantom', dataset: { use: 'chest-phantom', size: 96 } },
    },
  ],
} satisfies Preset;
