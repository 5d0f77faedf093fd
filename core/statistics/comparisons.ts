import { makeRandom } from '../random.ts';
import type { Comparison, Report, Row } from '../vocabulary.ts';
import { Bootstrap, type Grouped } from './bootstrap.ts';
import { groupBy } from './group.ts';
import { holm } from './holm.ts';
import { cellsOf, differences, meanOf } from './paired.ts';
import { wilcoxon } from './wilcoxon.ts';

/** What comparisons need of a report. */
type Compared = Pick<Report, 'curves' | 'rows' | 'seed'>;

/**
 * Every subject against the first one, image by image, in each cell and metric. One reference keeps the number of
 * comparisons, and with it Holm's correction, linear in the subjects.
 */
export function compareSubjects(report: Compared): Comparison[] {
  const reference = report.curves[0]?.subject;
  const others = report.curves.filter(({ subject }) => subject !== reference);
  const cell = cellsOf(report.rows);
  return compare(
    report,
    others,
    cell,
    (place) => ({ ...place, subject: reference! }),
    cell,
    (name) => name,
  );
}

/** Every subject against its namesake of another run, image by image; images of one run only are left out. */
export function compareRuns(report: Compared, baseline: Pick<Report, 'rows'>): Comparison[] {
  const before = cellsOf(baseline.rows);
  return compare(
    report,
    report.curves,
    cellsOf(report.rows),
    (place) => place,
    before,
    (name) => `baseline:${name}`,
  );
}

type Place = Pick<Row, 'subject' | 'attack' | 'eps'>;
type Cells = ReturnType<typeof cellsOf>;

function compare(
  { seed }: Compared,
  curves: Report['curves'],
  cell: Cells,
  partner: (place: Place) => Place,
  others: Cells,
  name: (subject: string) => string,
): Comparison[] {
  const bootstrap = new Bootstrap(() => makeRandom(seed)('interval'));
  const made = new Map<string, Comparison>();
  for (const { subject, attack, metric, points } of curves) {
    for (const { eps } of points) {
      const place = { subject, attack: eps === 0 ? 'clean' : attack, eps };
      const key = JSON.stringify([place, metric]);
      // The clean images are those of every attack.
      if (made.has(key)) continue;
      const other = partner(place);
      const { values, undefined: missing } = differences(cell(place), others(other), metric);
      made.set(key, {
        metric,
        ...place,
        reference: name(other.subject),
        difference: meanOf(values),
        ...bootstrap.mean(values),
        p: values.length === 0 ? null : wilcoxon(groupMeans(values)),
        pHolm: null,
        n: values.length,
        undefined: missing,
      });
    }
  }
  return corrected([...made.values()]);
}

/** Images of one patient are not independent: the test counts each patient once. */
function groupMeans(values: readonly Grouped[]): number[] {
  return [...groupBy(values, ({ group }) => group).values()].map((own) => meanOf(own)!);
}

/** Holm's correction over all cells of a metric. */
function corrected(comparisons: readonly Comparison[]): Comparison[] {
  const families = groupBy(comparisons, ({ metric }) => metric);
  return [...families.values()].flatMap((family) => {
    const pHolm = holm(family.map(({ p }) => p));
    return family.map((one, i) => ({ ...one, pHolm: pHolm[i]! }));
  });
}
