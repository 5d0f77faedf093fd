import type { Kind } from '../plugin.ts';

/** The file of a plugin to start from: short, complete, and passing its contract as it stands. */
export function pluginTemplate(kind: Kind, name: string): string {
  return `${templates[kind](name).trim()}\n`;
}

/** The test of such a plugin: its contract. */
export function testTemplate(kind: Kind, name: string): string {
  return `import { ${kind}Contract } from 'robust/testing';
import plugin from './${name}.ts';

${kind}Contract(plugin);
`;
}

const templates: Readonly<Record<Kind, (name: string) => string>> = {
  attack: (name) => `
import { crossEntropy, defineIterativeAttack } from 'robust';

export default defineIterativeAttack({
  name: '${name}',
  summary: 'Gradient steps towards a mask without any foreground.',
  norm: 'linf',
  options: {
    stepSize: { description: 'Step in intensity units.', type: 'number', exclusiveMinimum: 0, default: 1 },
    steps: { description: 'Gradient steps at every eps.', type: 'integer', minimum: 1, default: 10 },
  },
  goal: (truth, _classes, _options, { tf }) => tf.zerosLike(truth),
  steps: (_eps, { steps }) => steps,
  stepSize: (_eps, { stepSize }) => stepSize,
  loss: (logits, { goal }) => crossEntropy(logits, goal),
});
`,

  backend: (name) => `
import { defineBackend } from 'robust';

export default defineBackend({
  name: '${name}',
  summary: 'The plain JavaScript backend of TensorFlow.js.',
  // Not chosen by 'auto': only when asked for by name.
  preference: 0,
  options: {},
  async probe() {
    return { available: true, detail: 'runs wherever Node does' };
  },
  async start() {
    await import('@tensorflow/tfjs-backend-cpu');
    const tf = await import('@tensorflow/tfjs-core');
    await tf.setBackend('cpu');
    return { info: { backend: 'cpu', version: tf.version_core, device: 'processor', threads: 1 } };
  },
});
`,

  dataset: (name) => `
import { defineDataset, type Random, type Sample, type Split } from 'robust';

export default defineDataset({
  name: '${name}',
  summary: 'Bright squares on a dark ground.',
  options: {
    size: { description: 'Height and width in pixels.', type: 'integer', minimum: 8, default: 32 },
    train: { description: 'Training images.', type: 'integer', minimum: 1, default: 64 },
    test: { description: 'Test images.', type: 'integer', minimum: 1, default: 16 },
  },
  async load({ size, train, test }, ctx) {
    const split = (name: string, count: number): Split => {
      const ids = Array.from({ length: count }, (_, index) => \`\${name}-\${index}\`);
      const get = async (index: number) => {
        const id = ids[index];
        if (id === undefined) throw new RangeError(\`there is no image \${index}\`);
        return drawSquare(id, size, ctx.random(id));
      };
      return { ids, get };
    };
    return {
      height: size,
      width: size,
      channels: 1,
      domain: { low: 0, high: 255, step: 1 },
      classes: ['background', 'square'],
      train: split('train', train),
      test: split('test', test),
      // Other samples, another fingerprint: they depend on the options and on the seed of the run.
      fingerprint: JSON.stringify(['${name}', size, train, test, ctx.random('seed').uniform()]),
      notes: [],
    };
  },
});

function drawSquare(id: string, size: number, random: Random): Sample {
  const side = 3 + random.below(size / 2 - 2);
  const [top, left] = [random.below(size - side), random.below(size - side)];
  const data = new Float32Array(size * size);
  const mask = new Uint8Array(size * size);
  for (let i = 0; i < mask.length; i++) {
    const [y, x] = [Math.floor(i / size), i % size];
    const inside = Number(y >= top && y < top + side && x >= left && x < left + side);
    mask[i] = inside;
    data[i] = 60 + 100 * inside + random.below(40);
  }
  return { id, image: { shape: [size, size, 1], data }, mask: { shape: [size, size], data: mask } };
}
`,

  defense: (name) => `
import { defineDefense } from 'robust';

export default defineDefense({
  name: '${name}',
  summary: 'Lowers the contrast of every image before the model sees it.',
  options: {
    contrast: { description: 'Part that is kept.', type: 'number', minimum: 0.01, maximum: 1, default: 0.8 },
  },
  input(x, { low, high }, { contrast }, { tf }) {
    const middle = (low + high) / 2;
    return tf.tidy(() => tf.add(tf.mul(tf.sub(x, middle), contrast), middle));
  },
});
`,

  metric: (name) => `
import { defineMetric, type Confusion } from 'robust';

export default defineMetric({
  name: '${name}',
  summary: 'Part of the pixels that are classified correctly.',
  better: 'higher',
  empty: 'Prediction and truth both empty: 1. Only one of them empty: the part that is background.',
  options: {},
  measure: ({ confusion }) => accuracy(confusion),
  pool: accuracy,
});

function accuracy({ tp, fp, fn, tn }: Confusion): number {
  return (tp + tn) / (tp + fp + fn + tn);
}
`,

  model: (name) => `
import { defineNetwork, layers } from 'robust';

const { connect, scaledNormal, unitRange } = layers;

export default defineNetwork({
  name: '${name}',
  summary: 'Two convolutions.',
  taps: ['features'],
  options: {
    width: { description: 'Channels between the convolutions.', type: 'integer', minimum: 1, default: 16 },
  },
  build(input, { width }, { tf }) {
    const first = tf.layers.conv2d({
      name: 'first',
      filters: width,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: scaledNormal(9 * input.channels, input.seed()),
    });
    const logits = tf.layers.conv2d({
      name: 'logits',
      filters: input.classes.length,
      kernelSize: 1,
      kernelInitializer: scaledNormal(width, input.seed(), 1),
    });
    const features = connect(first, unitRange(input.image, input.domain));
    return connect(logits, input.tap('features', features));
  },
});
`,

  reporter: (name) => `
import { defineReporter } from 'robust';

export default defineReporter({
  name: '${name}',
  summary: 'Writes ${name}.csv: one line per subject, attack, metric and eps.',
  prints: false,
  options: {
    digits: { description: 'Decimals of the means.', type: 'integer', minimum: 1, maximum: 15, default: 4 },
  },
  async report({ curves }, { digits }, { write }) {
    const lines = curves.flatMap(({ subject, attack, metric, points }) =>
      points.map(({ eps, mean }) => {
        const names = [subject, attack, metric].map((text) => JSON.stringify(text));
        return [...names, eps, mean === null ? '' : mean.toFixed(digits)].join(',');
      }),
    );
    await write('${name}.csv', ['subject,attack,metric,eps,mean', ...lines, ''].join('\\n'));
  },
});
`,
};
