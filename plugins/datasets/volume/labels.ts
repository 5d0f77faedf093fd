import { readMask, RobustError, type Labels } from '../../../core/index.ts';
import { samePlace, sliceGrid, type Grid, type Plane } from './geometry.ts';
import { openVolume, type Volume } from './volume.ts';

/** Pictures, which do not say where they lie. */
const PICTURE = /\.(png|bmp|gif|tiff?|webp)$/i;

/** How the voxels of masks become classes. */
export interface LabelFormat {
  readonly plane: Plane;
  /** Class by value; where there is none, each file is one class where it is not 0. */
  readonly labels?: Labels;
}

/**
 * The classes of all voxels of an image, in the order of its grid: slices, rows, columns. Of several files, one for
 * each class, the later one wins.
 *
 * @throws RobustError MASK_MISSING, MASK_SIZE where the mask does not lie on the image, MASK_VALUES, IMAGE_UNREADABLE.
 */
export async function readLabels(
  image: Volume,
  masks: readonly string[],
  { plane, labels }: LabelFormat,
): Promise<Uint8Array> {
  const grid = sliceGrid(image.geometry, plane);
  const classes = new Uint8Array(grid.slices * grid.rows * grid.columns);
  for (const [index, path] of masks.entries()) {
    if (PICTURE.test(path)) {
      const { shape, data } = await readMask(path, { threshold: 0, ...(labels && { labels }) });
      if (grid.slices !== 1 || shape[0] !== grid.rows || shape[1] !== grid.columns) {
        throw elsewhere(path, image, grid, `${shape.join(' x ')} pixels`);
      }
      data.forEach((value, i) => value > 0 && (classes[i] = labels ? value : index + 1));
      continue;
    }
    const mask = await openVolume(path, 'MASK_MISSING');
    const own = sliceGrid(mask.geometry, plane);
    if (!samePlace(image.geometry, grid, mask.geometry, own))
      throw elsewhere(path, image, grid, described(mask, own));
    const known = labels && new Map(Object.entries(labels).map(([value, at]) => [Number(value), at]));
    const classOf = (value: number) => {
      if (known) return known.get(value);
      return Number.isInteger(value) ? Number(value !== 0) * (index + 1) : undefined;
    };
    paint(classes, await mask.voxels(), own, classOf, path, Object.keys(labels ?? {}));
  }
  return classes;
}

function paint(
  classes: Uint8Array,
  voxels: ArrayLike<number>,
  { slices, rows, columns, at }: Grid,
  classOf: (value: number) => number | undefined,
  path: string,
  known: readonly string[],
): void {
  let i = 0;
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, i++) {
        const value = voxels[at(slice, row, column)]!;
        const index = classOf(value);
        if (index === undefined) throw strange(path, value, [slice, row, column], known);
        if (index > 0) classes[i] = index;
      }
    }
  }
}

function strange(
  path: string,
  value: number,
  place: readonly number[],
  known: readonly string[],
): RobustError {
  const [slice, row, column] = place;
  return new RobustError('MASK_VALUES', {
    message: 'The mask holds a value that stands for no class.',
    where: `${path}, slice ${slice}, row ${row}, column ${column}`,
    expected: known.length > 0 ? `one of ${known.join(', ')}` : 'whole numbers',
    received: String(value),
    next: 'name the value in the classes of the data set, or mark it as the one to ignore',
  });
}

function elsewhere(path: string, image: Volume, grid: Grid, received: string): RobustError {
  return new RobustError('MASK_SIZE', {
    message: 'The mask does not lie on its image.',
    where: path,
    expected: `${described(image, grid)}, as ${image.path}`,
    received,
    next: 'resample the mask to the geometry of the image, or check that the two belong together',
  });
}

function described({ geometry: { spacing, origin } }: Volume, { slices, rows, columns }: Grid): string {
  const short = (values: readonly number[]) => values.map((value) => Number(value.toFixed(3))).join(' x ');
  const place = origin.map((value) => Number(value.toFixed(2))).join(', ');
  return `${slices} slices of ${rows} x ${columns}, spacing ${short(spacing)} mm, from (${place})`;
}
