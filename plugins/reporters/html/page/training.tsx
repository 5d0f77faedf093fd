import * as Plot from '@observablehq/plot';
import type { SubjectSummary } from '../../../../core/index.ts';
import type { PageData } from '../data.ts';
import { Chart, Key } from './chart.tsx';
import { count, decimal } from './format.ts';
import { Wide } from './wide.tsx';

type Trained = SubjectSummary & Required<Pick<SubjectSummary, 'training'>>;

/** Subjects whose training is known. */
export function trained({ subjects }: PageData['report']): Trained[] {
  return subjects.filter((one): one is Trained => (one.training ?? []).length > 0);
}

/** How the weights came about: loss and Dice, epoch by epoch. */
export function Training({ report }: { report: PageData['report'] }) {
  const subjects = report.subjects.map(({ name }) => name);
  const own = trained(report);
  const epochs = own.flatMap(({ name, training }) => training.map((epoch) => ({ subject: name, ...epoch })));
  const x = {
    label: 'epoch →',
    labelOffset: 40,
    ticks: ticksOf(epochs.map(({ epoch }) => epoch)),
    tickFormat: 'd',
  };
  const line = { x: 'epoch', z: 'subject', stroke: 'subject' } as const;
  const dot = { x: 'epoch', stroke: 'subject', symbol: 'subject', r: 3 } as const;
  const held = epochs.filter(({ validation }) => validation !== null);
  const chart = { subjects, ratio: 0.6 };
  return (
    <>
      <p class="key">
        <Key subjects={subjects} shown={own.map(({ name }) => name)} />
      </p>
      <div class="pair">
        <Chart
          {...chart}
          label={`Loss of each epoch. ${sentences(own, 'loss')} The table below holds all values.`}
          options={{
            x,
            y: { label: '↑ mean loss', grid: true, zero: true, nice: true },
            marks: [Plot.lineY(epochs, { ...line, y: 'loss' }), Plot.dot(epochs, { ...dot, y: 'loss' })],
          }}
        />
        <Chart
          {...chart}
          label={`Dice after each epoch. ${sentences(own, 'dice')} The table below holds all values.`}
          options={{
            x,
            y: { label: '↑ mean Dice', grid: true, domain: [0, 1] },
            marks: [
              Plot.lineY(epochs, { ...line, y: 'dice' }),
              Plot.dot(epochs, { ...dot, y: 'dice' }),
              Plot.lineY(held, { ...line, y: 'validation', strokeDasharray: '6 4' }),
            ],
          }}
        >
          On a few training images.{held.length > 0 && ' Dashed: on the held-out images.'}
        </Chart>
      </div>
      <Epochs own={own} />
    </>
  );
}

/** Whole epochs, at most ten. */
function ticksOf(epochs: readonly number[]): number[] {
  const last = Math.max(...epochs);
  const step = Math.ceil(last / 10);
  return Array.from({ length: Math.floor(last / step) }, (_, index) => (index + 1) * step);
}

function sentences(own: readonly Trained[], what: 'loss' | 'dice'): string {
  const sentence = ({ name, training }: Trained) =>
    `${name}: from ${decimal(training[0]![what])} to ${decimal(training.at(-1)![what])} in ${training.length} epochs.`;
  return own.map(sentence).join(' ');
}

function Epochs({ own }: { own: readonly Trained[] }) {
  return (
    <details>
      <summary>All epochs</summary>
      <Wide
        label="Training, epoch by epoch"
        head={['Subject', '#Epoch', '#Loss', '#Learning rate', '#Dice', '#Held-out Dice', '#Seconds']}
      >
        {own.flatMap(({ name, training }) =>
          training.map(({ epoch, loss, learningRate, dice, validation, seconds }) => (
            <tr key={`${name}\n${epoch}`}>
              <th scope="row">{name}</th>
              <td class="number">{count(epoch)}</td>
              <td class="number" title={String(loss)}>
                {loss.toFixed(4)}
              </td>
              <td class="number">{learningRate.toPrecision(2)}</td>
              <td class="number" title={String(dice)}>
                {decimal(dice)}
              </td>
              <td class="number">{validation === null ? '' : decimal(validation)}</td>
              <td class="number">{seconds.toFixed(1)}</td>
            </tr>
          )),
        )}
      </Wide>
    </details>
  );
}
