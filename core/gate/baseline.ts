import type { Report } from '../vocabulary.ts';

/** Why a report cannot be compared with a baseline image by image; undefined when it can. */
export function mismatch(report: Report, baseline: Report | undefined): string | undefined {
  if (!baseline)
    return 'there is no baseline: name one with --baseline FILE or `baseline` in the configuration';
  if (baseline.status !== 'complete') return 'the baseline run was interrupted';
  const places = otherPlaces(report, baseline);
  if (places !== undefined) return `the baseline has ${places}`;
  const [ours, theirs] = [imagesOf(report), imagesOf(baseline)];
  const differing = [...without(ours, theirs), ...without(theirs, ours)].length;
  return differing > 0
    ? `the baseline holds other images: ${differing} are in one of both runs only`
    : undefined;
}

/** What keeps the cells of another run from being those of a report: its data set or its eps grid. */
export function otherPlaces(report: Report, other: Report): string | undefined {
  const { name, fingerprint } = other.dataset;
  if (fingerprint !== report.dataset.fingerprint)
    return `another data set (${name}, ${fingerprint.slice(0, 12)})`;
  const [grid, wanted] = [gridOf(other), gridOf(report)];
  return grid === wanted ? undefined : `another eps grid: ${grid} instead of ${wanted}`;
}

/** The ids of all images of a report. */
export function imagesOf({ rows }: Report): string[] {
  return [...new Set(rows.map(({ sample }) => sample))];
}

/** The items of a list that another does not hold. */
export function without(items: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return items.filter((item) => !known.has(item));
}

function gridOf({ rows }: Report): string {
  return [...new Set(rows.map(({ eps }) => eps))].sort((a, b) => a - b).join(', ');
}
