import * as Plot from '@observablehq/plot';
import { useState } from 'preact/hooks';
import type { Comparison } from '../../../../core/index.ts';
import type { PageData } from '../data.ts';
import { Chart, Key } from './chart.tsx';
import { Choice } from './controls.tsx';
import { chance, decimal, unique } from './format.ts';
import { Wide } from './wide.tsx';

/** Paired differences between subjects, and against a baseline run. */
export function Differences({
  comparisons,
  report,
}: {
  comparisons: readonly Comparison[];
  report: PageData['report'];
}) {
  const metrics = unique(comparisons.map(({ metric }) => metric));
  const attacks = unique(comparisons.filter(({ eps }) => eps > 0).map(({ attack }) => attack));
  const references = unique(comparisons.map(({ reference }) => reference));
  const [metric, setMetric] = useState(metrics[0]!);
  const [attack, setAttack] = useState(attacks[0] ?? '');
  const [reference, setReference] = useState(references[0]!);
  const subjects = report.subjects.map(({ name }) => name);
  const own = comparisons.filter(
    (one) => one.metric === metric && one.reference === reference && (one.eps === 0 || one.attack === attack),
  );
  const compared = unique(own.map(({ subject }) => subject));
  return (
    <>
      <p>
        What a subject scores more than the reference on the same images: the mean, with its 95 % interval. An
        interval that leaves out 0 is more than chance for one eps; p after Holm accounts for all cells of the
        metric.
      </p>
      <div class="controls">
        <Choice label="Metric" value={metric} options={metrics} onChange={setMetric} />
        <Choice label="Attack" value={attack} options={attacks} onChange={setAttack} />
        <Choice label="Reference" value={reference} options={references} onChange={setReference} />
      </div>
      <p class="key">
        <Key subjects={subjects} shown={compared} /> minus {reference}
      </p>
      <Chart label={summary(own, metric)} subjects={subjects} ratio={0.4} options={optionsOf(own, metric)} />
      <details>
        <summary>All differences</summary>
        <Table own={own} />
      </details>
    </>
  );
}

function optionsOf(own: readonly Comparison[], metric: string): Plot.PlotOptions {
  const band = { x: 'eps', y1: 'low', y2: 'high', z: 'subject', fill: 'subject', fillOpacity: 0.15 } as const;
  const line = { x: 'eps', y: 'difference', z: 'subject', stroke: 'subject' } as const;
  const describe = (one: Comparison) =>
    `${one.subject}\neps ${one.eps}: ${decimal(one.difference)} [${decimal(one.low)}, ${decimal(one.high)}]`;
  return {
    x: { label: 'eps, in intensity units →', labelOffset: 40, zero: true },
    y: { label: `↑ difference of ${metric}`, grid: true, nice: true, zero: true },
    marks: [
      Plot.ruleY([0], { stroke: 'currentColor' }),
      Plot.areaY(own, band),
      Plot.lineY(own, line),
      Plot.dot(own, { x: 'eps', y: 'difference', stroke: 'subject', symbol: 'subject', r: 3 }),
      Plot.tip(own, Plot.pointer({ x: 'eps', y: 'difference', title: describe, fill: 'var(--paper)' })),
    ],
  };
}

function summary(own: readonly Comparison[], metric: string): string {
  const sentences = unique(own.map(({ subject }) => subject)).map((subject) => {
    const cells = own.filter((one) => one.subject === subject);
    const last = cells.reduce((a, b) => (b.eps > a.eps ? b : a));
    return `${subject}: ${decimal(last.difference)} at eps ${last.eps}.`;
  });
  return `Chart of the difference of ${metric} against eps. ${sentences.join(' ')} The table below holds all values.`;
}

function Table({ own }: { own: readonly Comparison[] }) {
  return (
    <Wide
      label="Differences"
      head={['Subject', 'Reference', '#eps', '#Difference', '#Interval', '#p', '#p after Holm', '#Images']}
    >
      {own.map((one) => (
        <tr key={`${one.subject}\n${one.eps}`}>
          <th scope="row">{one.subject}</th>
          <td>{one.reference}</td>
          <td class="number">{one.eps === 0 ? 'clean' : one.eps}</td>
          <td class="number" title={String(one.difference)}>
            {decimal(one.difference)}
          </td>
          <td class="number">{one.low === null ? '' : `[${decimal(one.low)}, ${decimal(one.high)}]`}</td>
          <td class="number">{chance(one.p)}</td>
          <td class="number">{chance(one.pHolm)}</td>
          <td class="number">
            {one.n}
            {one.undefined > 0 && ` (${one.undefined} undefined)`}
          </td>
        </tr>
      ))}
    </Wide>
  );
}
