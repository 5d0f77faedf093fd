import type { Report } from '../vocabulary.ts';

/** Why a report cannot be compared with a baseline image by image; undefined when it can. */
export function mismatch(report: Report, baseline: Report | undefined): string | undefined {
  if (!baseline)
    return 'there is no baseline: name one with --baseline FILE or `baseline` in the configuration';
  if (baseline.status !== 'complete') return 'the baseline run was interrupted';
  if (baseline.dataset.fingerprint !== report.dataset.fingerprint)
    return `the baseline ran on another data set (${baseline.dataset.name}, ${baseline.dataset.fingerprint.slice(0, 12)})`;
  const ids = [imagesOf(baseline), imagesOf(report)] as const;
  const differing =
    [...ids[0]].filter((id) => !ids[1].has(id)).length + [...ids[1]].filter((id) => !ids[0].has(id)).length;
  if (differing > 0) return `the baseline holds other images: ${differing} are in one of both runs only`;
  const grids = [gridOf(baseline), gridOf(report)] as const;
  if (grids[0] !== grids[1]) return `the baseline has another eps grid: ${grids[0]} instead of ${grids[1]}`;
  return undefined;
}

/** The ids of all images of a report. */
function imagesOf({ rows }: Report): Set<string> {
  return new Set(rows.map(({ sample }) => sample));
}

function gridOf({ rows }: Report): string {
  return [...new Set(rows.map(({ eps }) => eps))].sort((a, b) => a - b).join(', ');
}
