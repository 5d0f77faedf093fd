import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { RobustError, type Pair } from '../../../core/index.ts';

/** A pair that a manifest lists, with the split it names. */
export interface Listed extends Pair {
  readonly split?: 'train' | 'test';
}

/**
 * Reads a CSV manifest with a header line: `image` and `mask` (paths relative to the manifest) must be there; `id`
 * (the image path without it), `group`, `split` (train or test) and `spacing` (millimetres between pixels of the file:
 * one number, or `vertical x horizontal`) may be. Other columns are not read: they may name people.
 *
 * @throws RobustError DATASET_INVALID with the line.
 */
export async function readManifest(path: string): Promise<Listed[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(path, 'The manifest cannot be read.', 'a CSV file', String(cause));
  });
  const rows = parseCsv(text, path);
  const listed = rows.map(({ record, info }) => toPair(record, `${path}:${info.lines}`, dirname(path)));
  const seen = new Map<string, string>();
  rows.forEach(({ info }, i) => {
    const { id } = listed[i]!;
    const here = `${path}:${info.lines}`;
    if (seen.has(id))
      throw invalid(
        here,
        'Two lines have the same id.',
        'every id once',
        `'${id}' is also in ${seen.get(id)}`,
      );
    seen.set(id, here);
  });
  return listed;
}

interface CsvRow {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

function parseCsv(text: string, path: string): CsvRow[] {
  try {
    return parse(text, {
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      ...{ bom: true, trim: true, skip_empty_lines: true, info: true, delimiter: [',', ';', '\t'] },
    }) as unknown as CsvRow[];
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw invalid(
      path,
      'The manifest is no CSV file.',
      'as many fields in each line as in the first',
      cause.message,
    );
  }
}

function toPair(
  { id, image, mask, group, split, spacing }: CsvRow['record'],
  where: string,
  dir: string,
): Listed {
  if (!image || !mask) {
    const received = `image '${image ?? ''}', mask '${mask ?? ''}'`;
    throw invalid(
      where,
      'The manifest lists an image without its mask, or the other way round.',
      'both',
      received,
    );
  }
  if (split && split !== 'train' && split !== 'test') {
    throw invalid(where, 'The manifest names an unknown split.', "'train', 'test' or nothing", `'${split}'`);
  }
  return {
    id: id || image.replace(/(\.nii)?\.\w+$|\/$/, ''),
    image: resolve(dir, image),
    mask: resolve(dir, mask),
    ...(group && { group }),
    ...(split && { split: split as 'train' | 'test' }),
    ...(spacing && { spacing: millimetres(spacing, where) }),
  };
}

function millimetres(text: string, where: string): readonly [number, number] {
  const numbers = text.split(/[\sx*]+/).map(Number);
  const [vertical, horizontal = vertical] = numbers;
  if (numbers.length <= 2 && numbers.every((value) => value > 0 && Number.isFinite(value)))
    return [vertical!, horizontal!];
  throw invalid(where, 'The spacing is not a size.', "millimetres such as '0.7' or '0.7 x 0.5'", `'${text}'`);
}

function invalid(where: string, message: string, expected: string, received: string): RobustError {
  const next = 'the header line names the columns: image, mask, and id, group, split, spacing where known';
  return new RobustError('DATASET_INVALID', { message, where, expected, received, next });
}
