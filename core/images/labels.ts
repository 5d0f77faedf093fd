import { IGNORED } from '../dataset.ts';
import { RobustError } from '../errors/index.ts';
import type { Mask } from '../vocabulary.ts';
import type { Raster } from './raster.ts';

/**
 * Class index by the value that a mask file has for it: a grey level as the file stores it (`'2'`), or a colour
 * (`'#ff0080'`).
 */
export type Labels = Readonly<Record<string, number>>;

/** What names of classes become. */
export interface ClassNames {
  readonly classes: readonly string[];
  readonly labels: Labels;
}

/**
 * Class names by mask value, as a person writes them, become indices in the order of their first mention; 0 is the
 * background unless it is named. Values may share a name. The value `ignore` marks pixels that count nowhere.
 */
export function nameClasses(names: Readonly<Record<string, string>>, ignore: string | null): ClassNames {
  const classes = ['background', ...new Set(Object.values(names).filter((name) => name !== 'background'))];
  const named = Object.entries(names).map(([value, name]) => [value, classes.indexOf(name)] as const);
  const ignored = ignore === null ? [] : ([[ignore, IGNORED]] as const);
  return { classes, labels: Object.fromEntries([['0', 0], ...named, ...ignored]) };
}

/**
 * A mask of class indices from a decoded file.
 *
 * @throws RobustError MASK_VALUES where a pixel has a value that stands for no class.
 */
export function labelled({ data, height, width }: Raster, labels: Labels, path: string): Mask {
  const known = new Map(Object.entries(labels).map(([value, index]) => [codeOf(value), index]));
  const classes = new Uint8Array(height * width);
  for (let i = 0; i < classes.length; i++) {
    const index = known.get(code(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!));
    if (index === undefined) throw unknown(path, [...data.subarray(3 * i, 3 * i + 3)], i, width, labels);
    classes[i] = index;
  }
  return { shape: [height, width], data: classes };
}

/** One number for three samples of up to 16 bits. */
function code(r: number, g: number, b: number): number {
  return (r * 2 ** 16 + g) * 2 ** 16 + b;
}

function codeOf(value: string): number {
  const rgb = /^#(..)(..)(..)$/.exec(value);
  if (!rgb) return code(Number(value), Number(value), Number(value));
  const [r, g, b] = rgb.slice(1).map((part) => Number.parseInt(part, 16));
  return code(r!, g!, b!);
}

function unknown(path: string, [r, g, b]: number[], at: number, width: number, labels: Labels): RobustError {
  const hex = [r, g, b].map((sample) => sample!.toString(16).padStart(2, '0')).join('');
  return new RobustError('MASK_VALUES', {
    message: 'The mask holds a value that stands for no class.',
    where: `${path}, row ${Math.floor(at / width)}, column ${at % width}`,
    expected: `one of ${Object.keys(labels).join(', ')}`,
    received: r === g && g === b ? String(r) : `#${hex}`,
    next: 'name the value in the classes of the data set, or mark it as the one to ignore',
  });
}
