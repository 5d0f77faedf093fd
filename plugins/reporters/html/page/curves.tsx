import * as Plot from '@observablehq/plot';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Curve, Point } from '../../../../core/index.ts';
import type { PageData } from '../data.ts';
import { Choice, Switch } from './controls.tsx';
import { decimal, interval, unique } from './format.ts';

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
      <Chart curves={shown} subjects={subjects} blind={blind} bands={bands} metric={metric} />
      <Numbers curves={shown} title={`${metric} under ${attack}`} />
    </>
  );
}

const colourOf = (index: number) => `var(--line-${index % 8})`;

interface ChartProps {
  readonly curves: readonly Curve[];
  readonly subjects: readonly string[];
  readonly blind: readonly string[];
  readonly bands: boolean;
  readonly metric: string;
}

function Chart(props: ChartProps) {
  const { curves, bands, metric } = props;
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useEffect(() => {
    const plot = draw(props, width);
    plot.setAttribute('aria-hidden', 'true');
    place.current!.replaceChildren(plot);
  }, [curves.map(({ subject }) => subject).join('\n'), metric, curves[0]?.attack, width, bands]);
  return (
    <figure>
      <div ref={place} class="chart" role="img" aria-label={summary(curves, metric)} />
      <figcaption>
        Dotted: the clean score. Short dashes: the worst score so far. Long dashes: a subject that does not
        see the image.
      </figcaption>
    </figure>
  );
}

function draw({ curves, subjects, blind, bands, metric }: ChartProps, width: number): Element {
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
  return Plot.plot({
    width,
    height: Math.max(240, Math.min(420, width * 0.5)),
    marginLeft: 48,
    marginBottom: 48,
    style: { background: 'transparent', fontSize: '13px' },
    x: { label: 'eps, in intensity units →', labelOffset: 40, zero: true },
    y: { label: `↑ mean ${metric}`, grid: true, nice: true, ...(isShare(dots) && { domain: [0, 1] }) },
    color: { domain: [...subjects], range: subjects.map((_, index) => colourOf(index)) },
    symbol: { domain: [...subjects] },
    marks: [
      Plot.ruleY(clean, { y: 'mean', stroke: 'subject', strokeDasharray: '1 4' }),
      bands ? Plot.areaY(dots, band) : [],
      Plot.lineY(envelope, { ...line, strokeDasharray: '2 2', strokeOpacity: 0.7 }),
      Plot.lineY(sighted, line),
      Plot.lineY(sightless, { ...line, strokeDasharray: '8 4' }),
      Plot.dot(dots, { x: 'eps', y: 'mean', stroke: 'subject', symbol: 'subject', r: 3 }),
      Plot.tip(dots, Plot.pointer({ x: 'eps', y: 'mean', title: describe, fill: 'var(--paper)' })),
    ],
  });
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

function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** The curves as a table. */
function Numbers({ curves, title }: { curves: readonly Curve[]; title: string }) {
  const levels = unique(curves.flatMap(({ points }) => points.map(({ eps }) => eps))).sort((a, b) => a - b);
  return (
    <details>
      <summary>All values</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={title}>
        <table>
          <caption>{title}: mean over images [95 % interval]</caption>
          <thead>
            <tr>
              <th scope="col" class="number">
                eps
              </th>
              {curves.map(({ subject }) => (
                <th scope="col" key={subject}>
                  {subject}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
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
          </tbody>
        </table>
      </div>
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
