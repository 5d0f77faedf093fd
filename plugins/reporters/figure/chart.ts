import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { short, type Report } from '../../../core/index.ts';
import type { Published } from './published.ts';

/** What a figure says beside its curves. */
export interface Captions {
  readonly heading: string;
  readonly remarks: readonly string[];
  readonly published: readonly Published[];
}

/** Curves of one attack, one panel for each metric: the mean, its interval, and baselines as dashed floors. */
export function drawChart(report: Report, attack: string, captions: Captions): Promise<string> {
  const curves = report.curves.filter((curve) => curve.attack === attack);
  const metrics = [...new Set(curves.map(({ metric }) => metric))];
  const { heading, remarks, published } = captions;
  const legend = published.length > 0 ? ['diamonds: published values'] : [];
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: heading, subtitle: [...remarks, ...legend], anchor: 'start' },
    config: { font: 'sans-serif', background: 'white' },
    hconcat: metrics.map((metric) => panel({ ...report, curves }, metric, captions)),
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}

type Panel = Extract<TopLevelSpec, { hconcat: unknown }>['hconcat'][number];

function panel(report: Report, metric: string, { published }: Captions): Panel {
  const values = pointsOf(report, metric);
  const stated = published
    .filter((one) => one.metric === metric)
    .map(({ subject, eps, value }) => ({ subject: short(subject, 24), eps, mean: value }));
  const x = { field: 'eps', type: 'quantitative', title: 'eps (grey levels)' } as const;
  const title = short(metric, 24);
  // Overlap scores share one scale, so that panels can be compared; distances have none.
  const bounded = values.every(({ mean }) => mean >= 0 && mean <= 1);
  const scale = bounded ? { domain: [0, 1] } : { zero: true };
  const y = { field: 'mean', type: 'quantitative', title, scale } as const;
  const subjects = families(report).map((subject) => short(subject, 24));
  const color = {
    field: 'subject',
    type: 'nominal',
    legend: { title: null, symbolOpacity: 1 },
    scale: { domain: subjects, scheme: subjects.length > 10 ? 'tableau20' : 'tableau10' },
  } as const;
  const dash = {
    field: 'floor',
    type: 'nominal',
    legend: null,
    scale: {
      domain: [false, true],
      range: [
        [1, 0],
        [4, 3],
      ],
    },
  } as const;
  return {
    width: 360,
    height: 300,
    data: { values },
    layer: [
      {
        transform: [{ filter: 'datum.low !== null && datum.high !== null' }],
        mark: { type: 'area', opacity: 0.12 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
      },
      { mark: { type: 'line', strokeWidth: 1.5 }, encoding: { x, y, color, strokeDash: dash } },
      {
        data: { values: stated },
        mark: { type: 'point', shape: 'diamond', size: 70, filled: false },
        encoding: { x, y, color },
      },
    ],
  };
}

/** `unet` beside `unet+nlce`, as dark and light of one hue; baselines last. */
function families({ subjects }: Report): string[] {
  const looking = subjects.filter(({ blind }) => !blind).map(({ name }) => name);
  const family = (name: string) => name.split('+')[0]!;
  const heads = [...new Set(looking.map(family))];
  const floors = subjects.filter(({ blind }) => blind).map(({ name }) => name);
  return [...heads.flatMap((head) => looking.filter((name) => family(name) === head)), ...floors];
}

function pointsOf({ curves, subjects }: Report, metric: string) {
  const floors = new Set(subjects.filter(({ blind }) => blind).map(({ name }) => name));
  return curves
    .filter((curve) => curve.metric === metric)
    .flatMap(({ subject, points }) =>
      points.flatMap(({ eps, mean, low, high }) =>
        mean === null
          ? []
          : [{ subject: short(subject, 24), floor: floors.has(subject), eps, mean, low, high }],
      ),
    );
}
