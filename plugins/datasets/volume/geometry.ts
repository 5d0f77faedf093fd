/** Where the voxels of a volume lie in the patient. */
export interface Geometry {
  /** Number of voxels and their distance in millimetres along each axis of the file; the first is contiguous. */
  readonly size: Triple;
  readonly spacing: Triple;
  /** Column j is the direction of axis j in patient space (left, posterior, superior); row-major 3 x 3. */
  readonly direction: readonly number[];
  /** Where the first voxel lies, in millimetres. */
  readonly origin: Triple;
}

export type Triple = readonly [number, number, number];

/** The plane that slices lie in; `stored` is that of the first two axes of the file, as they lie there. */
export type Plane = 'axial' | 'coronal' | 'sagittal' | 'stored';

/** A volume as slices of rows and columns. */
export interface Grid {
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** Millimetres, `[vertical, horizontal]`. */
  readonly spacing: readonly [vertical: number, horizontal: number];
  /** Index of a voxel in the data. */
  at(slice: number, row: number, column: number): number;
}

/** One axis of a grid: an axis of the file, walked forwards or backwards. */
interface Walk {
  readonly axis: 0 | 1 | 2;
  readonly forwards: boolean;
}

/**
 * The slices of a volume as radiologists look at them: the patient's right on the left, and anterior (axial) or
 * superior (coronal, sagittal) on top; sagittal ones face left. Slices count towards left, posterior or superior.
 * Oblique volumes are cut along the nearest axes of the file. A volume of one slice is taken as it is stored.
 */
export function sliceGrid(volume: Geometry, plane: Plane): Grid {
  if (plane === 'stored' || volume.size[2] === 1) {
    return grid(
      volume,
      { axis: 2, forwards: true },
      { axis: 1, forwards: true },
      { axis: 0, forwards: true },
    );
  }
  const [left, posterior, superior] = nearestAxes(volume.direction);
  const reversed = ({ axis, forwards }: Walk): Walk => ({ axis, forwards: !forwards });
  if (plane === 'axial') return grid(volume, superior, posterior, left);
  if (plane === 'coronal') return grid(volume, posterior, reversed(superior), left);
  return grid(volume, left, reversed(superior), posterior);
}

/** For each anatomical axis the axis of the file that lies nearest, the clearest pairs first. */
function nearestAxes(direction: readonly number[]): [left: Walk, posterior: Walk, superior: Walk] {
  const axes = [0, 1, 2] as const;
  const pairs = axes.flatMap((anatomical) =>
    axes.map((axis) => ({ anatomical, axis, cosine: direction[3 * anatomical + axis]! })),
  );
  const found: (Walk | undefined)[] = [undefined, undefined, undefined];
  for (const { anatomical, axis, cosine } of pairs.sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine))) {
    if (found[anatomical] || found.some((taken) => taken?.axis === axis)) continue;
    found[anatomical] = { axis, forwards: cosine > 0 };
  }
  return found as [Walk, Walk, Walk];
}

function grid({ size, spacing }: Geometry, slice: Walk, row: Walk, column: Walk): Grid {
  const strides = [1, size[0], size[0] * size[1]] as const;
  const step = ({ axis, forwards }: Walk, index: number) =>
    strides[axis] * (forwards ? index : size[axis] - 1 - index);
  return {
    slices: size[slice.axis],
    rows: size[row.axis],
    columns: size[column.axis],
    spacing: [spacing[row.axis], spacing[column.axis]],
    at: (k, y, x) => step(slice, k) + step(row, y) + step(column, x),
  };
}

/** A voxel may lie this part of the smallest spacing away from where it should. */
const TOLERANCE = 0.05;

/** Whether two grids have the same size and lie in the same place, however their files store them. */
export function samePlace(a: Geometry, gridOfA: Grid, b: Geometry, gridOfB: Grid): boolean {
  const { slices, rows, columns } = gridOfA;
  if (slices !== gridOfB.slices || rows !== gridOfB.rows || columns !== gridOfB.columns) return false;
  const corners: Triple[] = [
    [0, 0, 0],
    [slices - 1, 0, 0],
    [0, rows - 1, 0],
    [0, 0, columns - 1],
  ];
  return corners.every((corner) => {
    const [here, there] = [position(a, gridOfA.at(...corner)), position(b, gridOfB.at(...corner))];
    const distance = Math.hypot(...here.map((value, i) => value - there[i]!));
    return distance <= TOLERANCE * Math.min(...a.spacing);
  });
}

/** Where a voxel lies, in millimetres. */
function position({ size, spacing, direction, origin }: Geometry, index: number): number[] {
  const steps = [
    index % size[0],
    Math.floor(index / size[0]) % size[1],
    Math.floor(index / size[0] / size[1]),
  ];
  return origin.map((start, i) =>
    steps.reduce((sum, step, axis) => sum + direction[3 * i + axis]! * spacing[axis]! * step, start),
  );
}
