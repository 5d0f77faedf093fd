import type { Report } from '../../../core/index.ts';

/** What the page is given: the report, with its rows packed and its pictures inside. */
export interface PageData {
  readonly report: Omit<Report, 'rows' | 'examples'>;
  readonly rows: PackedRows;
  readonly gallery: readonly Shown[];
  /** PNG files in base64, which the gallery names by their place. */
  readonly pictures: readonly string[];
  /** Examples of the report that are not shown: too large, or their files are gone. */
  readonly leftOut: number;
  /** The limit in MiB that left them out. */
  readonly limit: number;
  /** What the gates say together; `none` without gates. */
  readonly verdict: string;
  /** Does the run again. */
  readonly command: string;
}

/** Columns instead of rows, and each name once. */
export interface PackedRows {
  readonly names: readonly string[];
  /** Places in `names`. */
  readonly subject: readonly number[];
  readonly attack: readonly number[];
  readonly sample: readonly number[];
  readonly eps: readonly number[];
  readonly linf: readonly number[];
  readonly gradients: readonly number[];
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** An example whose pictures are in the page. */
export interface Shown {
  readonly subject: string;
  readonly attack: string;
  readonly eps: number;
  readonly sample: string;
  /** Place of the clean image in `pictures`. */
  readonly image: number;
  /** Place of 128 + 127 (attacked - clean) / eps; null where eps is 0. */
  readonly difference: number | null;
  /** Outlines of the masks, as SVG paths in pixels. */
  readonly truth: string;
  readonly prediction: string;
  /** Grey levels that eps stands for when the range is spread over 0..255. */
  readonly reach: number;
}
