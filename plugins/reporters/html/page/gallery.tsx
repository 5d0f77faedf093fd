import { useState } from 'preact/hooks';
import type { PageData, Shown } from '../data.ts';
import { Choice, Switch } from './controls.tsx';
import { count, decimal, unique } from './format.ts';
import { Attacked, Outlined, source } from './panel.tsx';
import type { Rows } from './rows.ts';

const PAGE = 6;

/** The images that an attack damaged most, under a budget that the reader chooses. */
export function Gallery({ data, rows }: { data: PageData; rows: Rows }) {
  const { gallery, report } = data;
  const [subject, setSubject] = useState(gallery[0]!.subject);
  const attacks = unique(gallery.filter((one) => one.subject === subject).map((one) => one.attack));
  const [chosen, setAttack] = useState(attacks[0]!);
  const attack = attacks.includes(chosen) ? chosen : attacks[0]!;
  const own = gallery.filter((one) => one.subject === subject && one.attack === attack);
  const levels = unique(own.map(({ eps }) => eps)).sort((a, b) => a - b);
  const [place, setPlace] = useState(Infinity);
  const [outlines, setOutlines] = useState(true);
  const [pages, setPages] = useState(1);
  const eps = levels[Math.min(place, levels.length - 1)]!;
  const shown = own.filter((one) => one.eps === eps);
  const { low, high } = report.dataset.domain;
  return (
    <>
      <div class="controls">
        <Choice
          label="Subject"
          value={subject}
          options={unique(gallery.map((one) => one.subject))}
          onChange={setSubject}
        />
        <Choice label="Attack" value={attack} options={attacks} onChange={setAttack} />
        <Slider levels={levels} eps={eps} range={high - low} onChange={setPlace} />
        <Switch label="Outlines" on={outlines} onChange={setOutlines} />
      </div>
      <Legend data={data} shown={`${subject} under ${attack}, ${eps === 0 ? 'clean' : `eps ${eps}`}`} />
      <div class={outlines ? 'gallery' : 'gallery bare'}>
        {shown.slice(0, pages * PAGE).map((one) => (
          <Card key={one.sample} example={one} data={data} rows={rows} />
        ))}
      </div>
      {shown.length > pages * PAGE && (
        <button type="button" onClick={() => setPages(pages + 1)}>
          Show more
        </button>
      )}
    </>
  );
}

interface SliderProps {
  readonly levels: readonly number[];
  readonly eps: number;
  readonly range: number;
  readonly onChange: (place: number) => void;
}

/** Moves from one eps of the run to the next, whatever their distance. */
function Slider({ levels, eps, range, onChange }: SliderProps) {
  return (
    <label class="slider">
      eps{' '}
      <input
        type="range"
        min={0}
        max={levels.length - 1}
        value={levels.indexOf(eps)}
        aria-valuetext={eps === 0 ? 'clean' : `eps ${eps}`}
        onInput={({ currentTarget }) => onChange(currentTarget.valueAsNumber)}
      />{' '}
      <output>{eps === 0 ? 'clean' : `${eps} of ${range}`}</output>
    </label>
  );
}

function Legend({ data: { leftOut, limit }, shown }: { data: PageData; shown: string }) {
  return (
    <>
      <p class="key">
        {shown}. <span class="stroke truth" /> truth <span class="stroke prediction" /> prediction. The change
        is spread over the whole range of grey: middle grey is none, black and white are eps.
      </p>
      {leftOut > 0 && (
        <p class="notice">
          {count(leftOut)} further pictures are not in this page, which holds at most {limit} MiB of them; the
          run folder has them, and the option <code>megabytes</code> of this reporter lets more in.
        </p>
      )}
    </>
  );
}

function Card({ example, data, rows }: { example: Shown; data: PageData; rows: Rows }) {
  const { subject, attack, sample, eps, image, difference, truth, prediction, reach } = example;
  const [height, width] = data.report.dataset.size;
  const before = rows.find(subject, attack, 0, sample);
  const after = rows.find(subject, attack, eps, sample);
  const clean = source(data.pictures[image]!);
  const change = difference === null ? undefined : source(data.pictures[difference]!);
  const size = { width, height };
  return (
    <figure class="card">
      <figcaption>
        <strong>{sample}</strong>{' '}
        {rows.metrics.slice(0, 2).map((metric) => (
          <span key={metric}>
            {metric} {decimal(before?.values[metric])}
            {eps > 0 && ` → ${decimal(after?.values[metric])}`}{' '}
          </span>
        ))}
      </figcaption>
      <div class="panels">
        <Outlined {...size} label="image" truth={truth}>
          <img src={clean} alt={`${sample}, untouched`} loading="lazy" />
        </Outlined>
        <Outlined
          {...size}
          label={eps === 0 ? 'prediction' : 'attacked'}
          truth={truth}
          prediction={prediction}
        >
          <Attacked {...size} clean={clean} change={change} reach={reach} label={`${sample} at eps ${eps}`} />
        </Outlined>
        <Outlined {...size} label="change">
          {change ? (
            <img src={change} alt={`Change of ${sample} at eps ${eps}`} loading="lazy" />
          ) : (
            <div class="nothing">none</div>
          )}
        </Outlined>
      </div>
    </figure>
  );
}
