import * as Plot from '@observablehq/plot';
import { useState } from 'preact/hooks';
import type { Curve, Point } from '../../../../core/index.ts';
import type { PageData } from '../data.ts';
import { Chart, colourOf } from './chart.tsx';
import { Choice, Switch } from './controls.tsx';
import { decimal, interval, unique } from './format.ts';
import { Wide } from './wide.tsx';

type Dot = Point & { readonly subject: string };

/** Metric against eps, with intervals, clean scores and blind references. */
export function Curves({ report }: { report: PageData['report'] }) {
  const metrics = unique(report.curves.map(({ metric }) => metric));
  const attacks = unique(report.curves.map(({ attack }) => attack));
  const subjects = unique(report.curves.map(({ subject }) => subject));
  const [metric, setMetric] = useState(metrics[0]!);
  const [attack, setAttack] = useState(attacks[0]!);
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const [bands, setBands] = useState(true);
  const shown = report.curves.filter(
    (curve) => curve.metric === metric && curve.attack === attack && !hidden.includes(curve.subject),
  );
  const blind = report.subjects.filter((subject) => subject.blind).map(({ name }) => name);
  return (
    <>
      <div class="controls">
        <Choice label="Metric" value={metric} options={metrics} onChange={setMetric} />
        <Choice label="Attack" value={attack} options={attacks} onChange={setAttack} />
        <Switch label="95 % intervals" on={bands} onChange={setBands} />
      </div>
      <fieldset class="controls">
        <legend>Subjects</legend>
        {subjects.map((name, index) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={!hidden.includes(name)}
              onChange={({ currentTarget }) =>
                setHidden(currentTarget.checked ? hidden.filter((each) => each !== name) : [...hidden, name])
              }
            />{' '}
            <span class="swatch" style={{ background: colourOf(index) }} /> {name}
            {blind.includes(name) && ' (does not see the image)'}
          </label>
        ))}
      </fieldset>
      <Chart
        label={summary(shown, metric)}
        subjects={subjects}
        options={optionsOf({ curves: shown, blind, bands, metric })}
      >
        Dotted: the clean score. Short dashes: the mean of each image's worst score so far.
        {blind.length > 0 && ' Long dashes: a subject that does not see the image.'}
      </Chart>
      <Summaries curves={shown} />
      <Numbers curves={shown} title={`${metric} under ${attack}`} />
    </>
  );
}

interface Shown {
  readonly curves: readonly Curve[];
  readonly blind: readonly string[];
  readonly bands: boolean;
  readonly metric: string;
}

function optionsOf({ curves, blind, bands, metric }: Shown): Plot.PlotOptions {
  const dots = curves.flatMap(({ subject, points }) => points.map((point): Dot => ({ subject, ...point })));
  const [sightless, sighted] = [true, false].map((is) =>
    dots.filter(({ subject }) => blind.includes(subject) === is),
  ) as [Dot[], Dot[]];
  const envelope = curves.flatMap(({ subject, points, summary }) =>
    points.map(({ eps }, index) => ({ subject, eps, mean: summary?.envelope[index] ?? null })),
  );
  const clean = sighted.filter(({ eps, mean }) => eps === 0 && mean !== null);
  const line = { x: 'eps', y: 'mean', z: 'subject', stroke: 'subject' } as const;
  const band = { x: 'eps', y1: 'low', y2: 'high', z: 'subject', fill: 'subject', fillOpacity: 0.15 } as const;
  return {
    x: { label: 'eps, in intensity units →', labelOffset: 40, zero: true },
    y: { label: `↑ mean ${metric}`, grid: true, nice: true, ...(isShare(dots) && { domain: [0, 1] }) },
    marks: [
      Plot.ruleY(clean, { y: 'mean', stroke: 'subject', strokeDasharray: '1 4' }),
      bands ? Plot.areaY(dots, band) : [],
      Plot.lineY(envelope, { ...line, strokeDasharray: '2 2', strokeOpacity: 0.7 }),
      Plot.lineY(sighted, line),
      Plot.lineY(sightless, { ...line, strokeDasharray: '8 4' }),
      Plot.dot(dots, { x: 'eps', y: 'mean', stroke: 'subject', symbol: 'subject', r: 3 }),
      Plot.tip(dots, Plot.pointer({ x: 'eps', y: 'mean', title: describe, fill: 'var(--paper)' })),
    ],
  };
}

const describe = (dot: Dot) => `${dot.subject}\neps ${dot.eps}: ${interval(dot)}\n${dot.n} images`;

/** Whether all values lie between 0 and 1, as those of most metrics do. */
function isShare(dots: readonly Dot[]): boolean {
  return dots.every(({ low, high }) => (low ?? 0) >= 0 && (high ?? 1) <= 1);
}

function summary(curves: readonly Curve[], metric: string): string {
  const sentences = curves.map(({ subject, points }) => {
    const [first, last] = [points[0]!, points.at(-1)!];
    return `${subject}: from ${decimal(first.mean)} at eps ${first.eps} to ${decimal(last.mean)} at eps ${last.eps}.`;
  });
  return `Chart of ${metric} against eps. ${sentences.join(' ')} The table below holds all values.`;
}

/** Whole curves in a few numbers. */
function Summaries({ curves }: { curves: readonly Curve[] }) {
  const known = curves.flatMap(({ subject, summary }) => (summary ? [{ subject, ...summary }] : []));
  if (known.length === 0) return null;
  const levels = unique(known.flatMap(({ crossings }) => crossings.map(({ level }) => level)));
  const crossing = (one: (typeof known)[number], level: number) =>
    one.crossings.find((crossing) => crossing.level === level)?.eps ?? null;
  const head = [
    'Subject',
    `#Mean height up to eps ${known[0]!.areaTo}`,
    ...levels.map((level) => `#eps where it reaches ${level}`),
  ];
  return (
    <Wide label="Curves in numbers" head={head}>
      {known.map((one) => (
        <tr key={one.subject}>
          <th scope="row">{one.subject}</th>
          <td class="number" title={String(one.area)}>
            {decimal(one.area)}
          </td>
          {levels.map((level) => (
            <td class="number" key={level} title={String(crossing(one, level))}>
              {crossing(one, level)?.toFixed(1) ?? 'never'}
            </td>
          ))}
        </tr>
      ))}
    </Wide>
  );
}

/** The curves as a table. */
function Numbers({ curves, title }: { curves: readonly Curve[]; title: string }) {
  const levels = unique(curves.flatMap(({ points }) => points.map(({ eps }) => eps))).sort((a, b) => a - b);
  return (
    <details>
      <summary>All values</summary>
      <Wide
        label={title}
        caption={`${title}: mean over images [95 % interval]`}
        head={['#eps', ...curves.map(({ subject }) => subject)]}
      >
        {levels.map((eps) => (
          <tr key={eps}>
            <th scope="row" class="number">
              {eps === 0 ? 'clean' : eps}
            </th>
            {curves.map(({ subject, points }) => (
              <Value key={subject} point={points.find((point) => point.eps === eps)} />
            ))}
          </tr>
        ))}
      </Wide>
    </details>
  );
}

function Value({ point }: { point: Point | undefined }) {
  if (!point) return <td />;
  return (
    <td title={String(point.mean)}>
      {interval(point)}
      {point.undefined > 0 && ` (${point.undefined} undefined)`}
    </td>
  );
}
