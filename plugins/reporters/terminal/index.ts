import { Chalk } from 'chalk';
import {
  groupBy,
  short,
  auditText,
  defineReporter,
  gateText,
  type Curve,
  type Report,
} from '../../../core/index.ts';
import { costOf, count } from '../shared/cost.ts';
import { beside, courses, curveBlock, type Look } from './curves.ts';
import { differences } from './differences.ts';
import { worstImages } from './images.ts';

export default defineReporter({
  name: 'terminal',
  summary: 'Prints one screen: what gates and audit say, then curves, the most damaged images, and the cost.',
  prints: true,
  options: {
    digits: {
      description: 'Decimals of metric values.',
      type: 'integer',
      minimum: 1,
      maximum: 6,
      default: 3,
    },
    all: {
      description: 'Show every eps instead of one for each halving, and every metric like the first one.',
      type: 'boolean',
      default: false,
    },
  },
  report(report, { digits, all }, { print, columns, colour, dir }) {
    const style = new Chalk({ level: colour ? 1 : 0 });
    const look = { columns, digits, all, style };
    const parts = [
      verdicts(report, look),
      heading(report, look),
      ...curves(report, look),
      ...differences(report, look),
      worstImages(report, look),
      footing(report, dir, look),
    ];
    print(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
  },
});

function verdicts({ gates = [], audit, status }: Report, { columns, style }: Look): string {
  const nothing = style.dim('no gates are configured: nothing here passes or fails');
  return [
    ...(status === 'interrupted'
      ? [style.yellow('interrupted: only the images finished so far are counted')]
      : []),
    gates.length > 0 ? gateText(gates, columns, style) : nothing,
    audit ? auditText(audit, columns, style) : style.dim('the audit was off'),
  ].join('\n');
}

function heading({ engine, dataset, subjects, seed }: Report, { columns, style }: Look): string {
  const ofModels = subjects.flatMap(({ name, notes = [] }) => notes.map((note) => `${name}: ${note}`));
  const [height, width, channels] = dataset.size;
  const size = `${height} x ${width}${channels === 1 ? '' : ` x ${channels}`}`;
  return [
    style.bold(short(`${dataset.name}: ${count(dataset.images)} images of ${size}`, columns)),
    short(`${engine.backend} ${engine.version} on ${engine.device}, seed ${seed}`, columns),
    ...[...dataset.notes, ...ofModels].map((note) => style.yellow(short(`note: ${note}`, columns))),
  ].join('\n');
}

/** The first metric at length if its subjects fit beside each other, all else in a line each. */
function curves({ curves: all }: Report, look: Look): string[] {
  const groups = groupBy(
    all.filter(({ metric }) => look.all || metric === all[0]!.metric),
    ({ metric, attack }) => JSON.stringify([metric, attack]),
  );
  const fits = (own: readonly Curve[]) => look.all || own.length <= beside(own, look);
  const long = [...groups.values()].filter(fits);
  const rest = all.filter((curve) => !long.some((own) => own.includes(curve)));
  const title = long.length > 0 ? 'other metrics' : 'means over images';
  const incomplete = all.some(({ points }) => points.some((point) => point.undefined > 0));
  return [
    ...long.map((own) => curveBlock(own, look)),
    ...(rest.length > 0 ? [courses(title, rest.toSorted(byMetric(rest)), look)] : []),
    ...(incomplete
      ? [look.style.dim('!n: the metric is undefined for n images, which the mean leaves out')]
      : []),
  ];
}

/** Curves of one metric together, metrics as they come. */
function byMetric(curves: readonly Curve[]): (a: Curve, b: Curve) => number {
  const metrics = [...new Set(curves.map(({ metric }) => metric))];
  return (a, b) => metrics.indexOf(a.metric) - metrics.indexOf(b.metric);
}

function footing(report: Report, dir: string, { columns, style }: Look): string {
  const lines = [
    costOf(report),
    ...report.subjects.map(({ name, fingerprint, parameters }) => {
      const size = parameters === null ? '' : `, ${count(parameters)} parameters`;
      return short(`${name}: ${fingerprint.slice(0, 12)}${size}`, columns);
    }),
    `run folder: ${dir}`,
  ];
  return style.dim(lines.join('\n'));
}
