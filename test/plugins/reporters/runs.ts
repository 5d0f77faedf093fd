import { join } from 'node:path';
import { writePng, type Comparison, type Example, type Report } from '../../../core/index.ts';
import { HOSTILE, hostileReport, sampleReport } from '../../../core/testing/report.ts';
import { mkdirSync } from 'node:fs';
import { temporaryFolder } from '../../../core/testing/index.ts';

/** A report, and the run folder that holds its example files. */
export interface Run {
  readonly report: Report;
  readonly dir: string;
}

const [height, width] = [8, 8];
const levels = [0, 0.5, 8, 32];

/** A run with everything that a report may hold: 30 images, of which two are shown. */
export async function plainRun(): Promise<Run> {
  const dir = temporaryFolder();
  const report = sampleReport();
  const images = Array.from({ length: 30 }, (_, index) => `case-${index + 1}`);
  const rows = report.rows
    .filter(({ sample }) => sample === 'case-1')
    .flatMap((row) =>
      images.map((sample, index) => {
        const dice = index === 29 && row.eps === 32 ? null : (row.values['dice']! * (30 - index)) / 30;
        return { ...row, sample, values: { dice, jaccard: dice === null ? null : dice / (2 - dice) } };
      }),
    );
  return {
    dir,
    report: {
      ...report,
      rows,
      subjects: report.subjects.map((one, index) =>
        index === 1 ? { ...one, blind: true } : { ...one, training },
      ),
      curves: report.curves.map((curve) => ({ ...curve, summary })),
      audit: audits(report.subjects.map(({ name }) => name)),
      comparisons: [comparison()],
      examples: await examples(
        dir,
        report.subjects.map(({ name }) => name),
        ['case-2', 'case-1'],
      ),
    },
  };
}

/** A run whose names are those of {@link hostileReport}. */
export async function hostileRun(): Promise<Run> {
  const dir = temporaryFolder();
  const report = hostileReport();
  const names = Object.values(HOSTILE);
  return {
    dir,
    report: {
      ...report,
      dataset: { ...report.dataset, size: [height, width, 1] },
      audit: audits(names).map((one, index) => ({
        ...one,
        title: names[index]!,
        message: names[index]!,
        advice: HOSTILE.markup,
      })),
      comparisons: [{ ...comparison(), subject: HOSTILE.markup, reference: HOSTILE.table }],
      examples: await examples(dir, names, [HOSTILE.markup]),
    },
  };
}

const training = [0.5, 0.25].map((loss, index) => ({
  ...{ epoch: index + 1, loss, learningRate: 1e-3, dice: 1 - loss, validation: index === 1 ? 0.7 : null },
  seconds: 1.5,
}));

const summary = {
  ...{ area: 0.4321, areaTo: 32, envelope: [0.95, 0.9, 0.4, 0.1] },
  crossings: [
    { level: 0.5, eps: 6.5 },
    { level: 0.05, eps: null },
  ],
};

function audits(subjects: readonly string[]): NonNullable<Report['audit']> {
  const verdicts = ['fail', 'pass', 'warn', 'not-run'] as const;
  return subjects.map((subject, index) => ({
    check: 'loss-rises',
    title: 'The loss rises along the attack',
    subject,
    attack: 'targeted-ifgsm',
    verdict: verdicts[index % verdicts.length]!,
    numbers: { share: 0.25, unknown: null },
    message: 'It rose in 25 % of the steps.',
    advice: index === 0 ? 'Look at the gradient.' : '',
  }));
}

function comparison(): Comparison {
  return {
    metric: 'dice',
    attack: 'targeted-ifgsm',
    eps: 8,
    subject: 'unet+nlce',
    reference: 'unet',
    difference: 0.0123,
    low: -0.01,
    high: 0.03,
    p: 0.04,
    pHolm: 0.08,
    n: 29,
    undefined: 1,
  };
}

/** Files of a grey image 100, attacked ones 100 + eps, and masks that leave the left half or the top half marked. */
async function examples(
  dir: string,
  subjects: readonly string[],
  samples: readonly string[],
): Promise<Example[]> {
  mkdirSync(join(dir, 'examples'));
  const grey = (value: number) => ({
    shape: [height, width, 1] as const,
    data: new Float32Array(height * width).fill(value),
  });
  const mask = (marked: (x: number, y: number) => boolean) => ({
    shape: [height, width] as const,
    data: Uint8Array.from({ length: height * width }, (_, at) =>
      Number(marked(at % width, Math.floor(at / width))),
    ),
  });
  const file = (name: string) => `examples/${name}.png`;
  await writePng(join(dir, file('image')), grey(100));
  await writePng(
    join(dir, file('truth')),
    mask((x) => x < 4),
  );
  await writePng(
    join(dir, file('prediction')),
    mask((_, y) => y < 4),
  );
  for (const eps of levels)
    await writePng(join(dir, file(`eps-${eps}`)), grey(eps === 0.5 ? 100.5 * 256 : 100 + eps));
  return subjects.flatMap((subject) =>
    samples.flatMap((sample) =>
      levels.map((eps) => ({
        ...{ subject, attack: 'targeted-ifgsm', eps, sample },
        image: file('image'),
        adversarial: file(eps === 0 ? 'image' : `eps-${eps}`),
        truth: file('truth'),
        prediction: file(eps === 0 ? 'truth' : 'prediction'),
      })),
    ),
  );
}
