import type {
  AuditResult,
  Confusion,
  Cost,
  Curve,
  GateResult,
  Point,
  Report,
  Row,
  SubjectSummary,
} from '../vocabulary.ts';

/** Names that break careless reporters: markup, control characters, table and shell syntax, great length. */
export const HOSTILE = {
  markup: '</script><img src=x onerror=alert(1)>',
  control: '\u001b[2J\u001b]0;title\u0007\r\u0000',
  table: '| a | `b` | $(c) | "d", e\n| f |',
  long: 'x'.repeat(300),
  wide: '\u80ba\u{1fac1}\u202e\u0301',
} as const;

const cost: Cost = { gradients: 276, forwards: 76, seconds: 12.5 };
const counts: Confusion = { tp: 20, fp: 4, fn: 6, tn: 34 };

function point(eps: number, mean: number | null): Point {
  if (mean === null) return { eps, mean, low: null, high: null, pooled: null, n: 0, undefined: 3 };
  return { eps, mean, low: mean - 0.05, high: mean + 0.05, pooled: mean, n: 3, undefined: 0 };
}

function curve(subject: string, metric: string, values: readonly (number | null)[]): Curve {
  return {
    subject,
    attack: 'targeted-ifgsm',
    metric,
    points: values.map((value, i) => point([0, 0.5, 8, 32][i]!, value)),
  };
}

function subject(name: string, defenses: readonly string[]): SubjectSummary {
  return {
    name,
    model: 'unet',
    defenses,
    fingerprint: `${'0123456789abcdef'.repeat(4)}`,
    parameters: 1234,
    cost,
  };
}

function row(subjectName: string, eps: number, sample: string, dice: number | null): Row {
  const attack = eps === 0 ? 'clean' : 'targeted-ifgsm';
  const cell = `${subjectName}/${attack}/${eps}`;
  const measured = {
    values: { dice, jaccard: dice === null ? null : dice / (2 - dice) },
    confusion: [counts],
  };
  return {
    cell,
    subject: subjectName,
    attack,
    eps,
    sample,
    group: sample,
    linf: eps,
    gradients: eps === 0 ? 0 : 1,
    ...measured,
  };
}

function gate(rule: string, verdict: GateResult['verdict'], origin: string): GateResult {
  const place = { metric: 'dice', subject: 'unet', attack: 'targeted-ifgsm', eps: 8 };
  const measured = { measured: 0.4, low: 0.35, high: 0.45, threshold: 0.5 };
  return {
    rule,
    level: 'error',
    verdict,
    ...place,
    ...measured,
    message: '0.4 [0.35, 0.45], wanted >= 0.5',
    origin,
  };
}

function checked(subjectName: string, verdict: AuditResult['verdict'], attack?: string): AuditResult {
  return {
    check: 'zero-gradient',
    title: 'There is a gradient to follow',
    subject: subjectName,
    ...(attack !== undefined && { attack }),
    verdict,
    numbers: { images: 3, zeroPixels: 0.25 },
    message: 'The gradient is zero on 0.0 % of the images and in 25.0 % of the pixels.',
    advice: verdict === 'pass' ? '' : 'Attack without gradients.',
  };
}

/** A small report of two subjects, one attack, two metrics and three images. */
export function sampleReport(): Report {
  const names = ['unet', 'unet+nlce'];
  const images = ['case-1', 'case-2', 'case-3'];
  return {
    schema: 'robust-report/1',
    status: 'complete',
    startedAt: '2026-01-02T03:04:05.000Z',
    seed: 1,
    engine: { backend: 'cpu', version: '4.22.0', device: 'cpu', threads: 1 },
    versions: { node: '20.19.0', robust: '0.1.0', tfjs: '4.22.0' },
    dataset: {
      name: 'chest-phantom',
      fingerprint: 'fedcba9876543210'.repeat(4),
      classes: ['background', 'lung'],
      size: [8, 8, 1],
      domain: { low: 0, high: 255, step: 1 },
      images: images.length,
      notes: ['1 image without a mask was skipped'],
    },
    subjects: names.map((name) => subject(name, name.endsWith('nlce') ? ['nlce'] : [])),
    curves: names.flatMap((name) => [
      curve(name, 'dice', [0.95, 0.9, 0.4, 0.1]),
      curve(name, 'jaccard', [0.9, 0.82, 0.25, 0.05]),
    ]),
    rows: names.flatMap((name) =>
      [0, 0.5, 8, 32].flatMap((eps) => images.map((id) => row(name, eps, id, 0.9 - eps / 40))),
    ),
    cost,
    audit: [
      checked('unet', 'pass', 'targeted-ifgsm'),
      checked('unet+nlce', 'fail', 'targeted-ifgsm'),
      checked('unet', 'not-run'),
    ],
    gates: [
      gate('dice >= 0.5 at eps 8', 'fail', 'robust.config.ts:9'),
      gate('dice >= 0.3 at eps 8', 'pass', 'given'),
    ],
    configuration: { seed: 1, dataset: { use: 'chest-phantom' }, attacks: ['targeted-ifgsm'] },
    origins: { seed: 'default', 'dataset.use': 'preset:quickstart' },
  };
}

/** A report in which no metric is defined anywhere and nothing is known that may be unknown. */
export function undefinedReport(): Report {
  const report = sampleReport();
  const nothing = { dice: null, jaccard: null };
  return {
    ...report,
    subjects: report.subjects.map((one) => ({ ...one, parameters: null })),
    curves: report.curves.map((one) => ({ ...one, points: one.points.map(({ eps }) => point(eps, null)) })),
    rows: report.rows.map((one) => ({ ...one, values: nothing })),
  };
}

/** A report of a run that was stopped before anything was measured. */
export function interruptedReport(): Report {
  return { ...sampleReport(), status: 'interrupted', subjects: [], curves: [], rows: [] };
}

/** A report whose names come from somebody who means harm. */
export function hostileReport(): Report {
  const report = sampleReport();
  const names = Object.values(HOSTILE);
  const name = (i: number) => names[i % names.length]!;
  return {
    ...report,
    dataset: {
      ...report.dataset,
      name: HOSTILE.markup,
      classes: ['background', HOSTILE.control],
      notes: names,
    },
    subjects: names.map((each) => ({ ...subject(each, [HOSTILE.table]), model: HOSTILE.long })),
    curves: names.map((each, i) => ({
      ...curve(each, name(i + 1), [0.9, null, 0.1, 0]),
      attack: name(i + 2),
    })),
    rows: names.map((each, i) => ({ ...row(each, 1, name(i + 1), 0.5), attack: name(i + 2) })),
    engine: { ...report.engine, device: HOSTILE.control },
    audit: names.map((each, i) => ({
      ...checked(each, 'warn', name(i + 1)),
      message: name(i + 2),
      advice: name(i + 3),
    })),
    gates: names.map((each, i) => ({
      ...gate(each, 'error', name(i + 1)),
      subject: name(i + 2),
      message: name(i + 3),
    })),
    configuration: { note: HOSTILE.markup },
    origins: { note: HOSTILE.control },
  };
}
