import { isDeepStrictEqual } from 'node:util';
import { leaves } from '../config/tree.ts';
import { RobustError } from '../errors/index.ts';
import { compareRuns } from '../statistics/comparisons.ts';
import { cellsOf, meanOf, valuesOf } from '../statistics/paired.ts';
import type { Comparison, Curve, Report } from '../vocabulary.ts';
import { imagesOf, otherPlaces, without } from './baseline.ts';

/** One cell and metric of two runs, over the images that both hold. */
export interface ComparedCell extends Comparison {
  /** Means over the values of each run. */
  readonly before: number | null;
  readonly after: number | null;
}

/** A setting that two runs do not share; undefined where a run does not have it. */
export interface Change {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What only one of two runs holds, by kind. */
export type Lone = Readonly<Record<'subjects' | 'attacks' | 'metrics' | 'images', readonly string[]>>;

/** Two runs side by side. */
export interface RunComparison {
  readonly onlyBefore: Lone;
  readonly onlyAfter: Lone;
  readonly changes: readonly Change[];
  readonly cells: readonly ComparedCell[];
}

/**
 * Compares two runs: what differs in what was run, and every cell that both hold, image by image.
 *
 * @throws RobustError REPORTS_DIFFER for another data set or eps grid, or when no image or no cell is common
 */
export function compareReports(before: Report, after: Report): RunComparison {
  const places = otherPlaces(before, after);
  if (places !== undefined) throw differ(`the second run has ${places}`);
  const [held, holds] = [contents(before), contents(after)];
  const [first, second] = [shared(before, after), shared(after, before)];
  if (second.rows.length === 0) throw differ('no image in common');
  if (second.curves.length === 0) throw differ('no subject, attack and metric in common');
  return {
    onlyBefore: lone(held, holds),
    onlyAfter: lone(holds, held),
    changes: changesOf(before, after),
    cells: cellsOfBoth(first, second),
  };
}

function contents(report: Report): Lone {
  const names = (key: 'subject' | 'attack' | 'metric') => [
    ...new Set(report.curves.map((curve) => curve[key])),
  ];
  return {
    subjects: names('subject'),
    attacks: names('attack'),
    metrics: names('metric'),
    images: imagesOf(report),
  };
}

function lone(one: Lone, other: Lone): Lone {
  const { subjects, attacks, metrics, images } = one;
  return {
    subjects: without(subjects, other.subjects),
    attacks: without(attacks, other.attacks),
    metrics: without(metrics, other.metrics),
    images: without(images, other.images),
  };
}

/** A report without the images and curves that the other does not hold. */
function shared(report: Report, other: Report): Report {
  const images = new Set(imagesOf(other));
  const name = ({ subject, attack, metric }: Curve) => JSON.stringify([subject, attack, metric]);
  const curves = new Set(other.curves.map(name));
  return {
    ...report,
    rows: report.rows.filter(({ sample }) => images.has(sample)),
    curves: report.curves.filter((curve) => curves.has(name(curve))),
  };
}

function cellsOfBoth(before: Report, after: Report): ComparedCell[] {
  const [first, second] = [cellsOf(before.rows), cellsOf(after.rows)];
  return compareRuns(after, before).map((one) => ({
    ...one,
    before: meanOf(valuesOf(first(one), one.metric).values),
    after: meanOf(valuesOf(second(one), one.metric).values),
  }));
}

/** Every setting that differs, and what decides numbers beside settings. */
function changesOf(before: Report, after: Report): Change[] {
  const flat = ({ configuration, engine, versions, seed, subjects }: Report) => {
    const fingerprints = Object.fromEntries(subjects.map(({ name, fingerprint }) => [name, fingerprint]));
    return new Map(leaves({ ...(configuration as object), seed, engine, versions, fingerprints }));
  };
  const [first, second] = [flat(before), flat(after)];
  return [...new Set([...first.keys(), ...second.keys()])]
    .filter((path) => !isDeepStrictEqual(first.get(path), second.get(path)))
    .map((path) => ({ path, before: first.get(path), after: second.get(path) }));
}

function differ(received: string): RobustError {
  return new RobustError('REPORTS_DIFFER', {
    message: 'These runs cannot be compared image by image.',
    expected: 'one data set, one eps grid, and images, subjects, attacks and metrics in common',
    received,
    next: 'run the second again with the data set and eps of the first',
  });
}
