import { parseEps } from '../config/eps.ts';
import type { GateConfig } from '../config/types.ts';
import { RobustError, suggestion } from '../errors/index.ts';
import { makeRandom } from '../random.ts';
import { Bootstrap } from '../statistics/bootstrap.ts';
import { cellsOf, differences, meanOf, valuesOf } from '../statistics/paired.ts';
import type { Curve, Report } from '../vocabulary.ts';
import { mismatch } from './baseline.ts';
import { broken, judge, type Judged } from './judge.ts';
import { limitOf } from './rule.ts';

/** Where a metric is judged. */
interface Place {
  readonly metric: string;
  readonly subject: string;
  readonly attack: string;
  readonly eps: number;
}

/** Judges rules on metrics against one report, and one baseline where there is one. */
export function metricGates(report: Report, baseline: Report | undefined): (config: GateConfig) => Judged[] {
  const unfit = mismatch(report, baseline);
  const { images } = report.dataset;
  // The stream of the curves: a gate sees the interval that the report shows.
  const bootstrap = new Bootstrap(() => makeRandom(report.seed)('interval'));
  const cell = cellsOf(report.rows);
  const before = cellsOf(baseline?.rows ?? []);

  /** The values a limit speaks of: the metric itself, or by how much it is worse than it was. */
  const measure = (
    { metric, ...place }: Place,
    { drop, regression }: GateConfig,
    better: Curve['better'],
  ) => {
    if (drop === undefined && regression === undefined) return valuesOf(cell(place), metric);
    const reference = drop === undefined ? before(place) : cell({ ...place, eps: 0 });
    return better === 'lower'
      ? differences(cell(place), reference, metric)
      : differences(reference, cell(place), metric);
  };

  const judgeAt = (place: Place, config: GateConfig, better: Curve['better']): Judged => {
    const { limit, value: threshold } = limitOf(config);
    const rows = cell(place).length;
    if (rows === 0) return broken(`nothing was measured there: ${measured(place, report)}`, place);
    if (rows < images) return broken(`${rows} of ${images} images were measured there`, place);
    const { values, undefined: missing } = measure(place, config, better);
    if (missing > 0) return broken(`the metric is undefined for ${missing} of ${images} images`, place);
    if (values.length < images)
      return broken(`the baseline holds ${values.length} of ${images} images there`, place);
    const found = { measured: meanOf(values), ...bootstrap.mean(values) };
    return { ...place, ...found, threshold, ...judge(found, limit, threshold) };
  };

  return (config) => {
    if (config.regression !== undefined && unfit !== undefined) return [broken(unfit)];
    const unknown = unknownName(config, report);
    if (unknown !== undefined) return [broken(unknown)];
    const curves = report.curves.filter(({ metric, subject, attack }) => {
      const here = config.subject === undefined || subject === config.subject;
      return metric === config.metric && here && (config.attack === undefined || attack === config.attack);
    });
    const places = curves.flatMap((curve) => placesOf(curve, config, report));
    // The clean score belongs to every attack, and is judged once.
    const once = new Map(
      places.map((place) => [JSON.stringify([place.subject, place.attack, place.eps]), place]),
    );
    return [...once.values()].map((place) => judgeAt(place, config, curves[0]!.better));
  };
}

function placesOf(
  { metric, subject, attack, points }: Curve,
  config: GateConfig,
  { dataset }: Report,
): Place[] {
  const wanted = config.eps === undefined ? undefined : parseEps(config.eps, dataset.domain);
  const all = wanted === undefined ? points.map(({ eps }) => eps) : [wanted];
  return all
    .filter((eps) => config.drop === undefined || eps > 0)
    .map((eps) => ({ metric, subject, attack: eps === 0 ? 'clean' : attack, eps }));
}

/** What a rule names that the report does not hold, as a sentence. */
function unknownName({ metric, attack, eps }: GateConfig, { curves, dataset }: Report): string | undefined {
  const names = (key: 'metric' | 'attack') => [...new Set(curves.map((curve) => curve[key]))];
  const absent = (kind: 'metric' | 'attack', name: string | undefined) =>
    name === undefined || names(kind).includes(name)
      ? undefined
      : `there is no ${kind} '${name}': ${suggestion(name, names(kind))}`;
  return absent('metric', metric) ?? absent('attack', attack) ?? invalidEps(eps, dataset);
}

function invalidEps(eps: GateConfig['eps'], { domain }: Report['dataset']): string | undefined {
  try {
    if (eps !== undefined) parseEps(eps, domain);
    return undefined;
  } catch (error) {
    if (error instanceof RobustError) return `${error.parts.message} expected ${error.parts.expected}`;
    throw error;
  }
}

/** The intensities that a cell could have been measured at. */
function measured({ subject, attack }: Place, { curves }: Report): string {
  const curve = curves.find((one) => one.subject === subject && one.attack === attack);
  return `the run has eps ${curve?.points.map(({ eps }) => eps).join(', ')}`;
}
