import { readLabels } from './labels.ts';
import { sliceGrid, type Grid, type Plane } from './geometry.ts';
import { toGrey, usualRange, type Range } from './intensity.ts';
import type { VolumeFiles } from './list.ts';
import { openVolume, type Volume } from './volume.ts';
import { IGNORED, type Image, type Labels, type Mask, type SampleFiles } from '../../../core/index.ts';

/** A slice of a volume, not read yet. */
export interface SliceFiles extends SampleFiles {
  readonly slice: number;
}

/** How volumes become slices. */
export interface SliceFormat {
  readonly plane: Plane;
  readonly every: number;
  readonly skipEmpty: boolean;
  /** Centre and width of the intensities that become 0 to 255. */
  readonly window: readonly number[] | null;
  /** Rows and columns after resizing; null where masks keep their native size. */
  readonly size: number | null;
  readonly labels?: Labels;
}

interface Opened extends VolumeFiles {
  readonly volume: Volume;
  readonly grid: Grid;
}

/** Volumes whose voxels stay in memory: as many as one batch may touch. */
const KEPT = 2;

/** The slices of some volumes. Slices of one volume are best read one after the other. */
export class VolumeSlices {
  readonly volumes: readonly Opened[];
  readonly #format: SliceFormat;
  readonly #voxels = new Recent(async (opened: Opened) => {
    const voxels = await opened.volume.voxels();
    return { voxels, range: this.#range(opened, voxels) };
  });
  readonly #labels = new Recent((opened: Opened) => readLabels(opened.volume, opened.masks, this.#format));

  private constructor(volumes: readonly Opened[], format: SliceFormat) {
    this.volumes = volumes;
    this.#format = format;
  }

  /** Reads the headers. Volumes of one patient become one group, which is called as the first of them. */
  static async open(
    files: readonly VolumeFiles[],
    format: SliceFormat,
    signal: AbortSignal,
  ): Promise<VolumeSlices> {
    const firstOf = new Map<string, string>();
    const opened: Opened[] = [];
    for (const one of files) {
      signal.throwIfAborted();
      const volume = await openVolume(one.image, 'IMAGE_MISSING');
      const { patient } = volume;
      if (patient !== null && !firstOf.has(patient)) firstOf.set(patient, one.id);
      const group = one.group ?? (patient === null ? one.id : firstOf.get(patient)!);
      opened.push({ ...one, group, volume, grid: sliceGrid(volume.geometry, format.plane) });
    }
    return new VolumeSlices(opened, format);
  }

  /** How many slices there are, the empty ones included. */
  get count(): number {
    return this.volumes.reduce((sum, { grid }) => sum + Math.ceil(grid.slices / this.#format.every), 0);
  }

  /** The slices of one volume, in order. */
  async list(opened: Opened): Promise<SliceFiles[]> {
    const { id, group, image, masks, grid } = opened;
    const { size, every } = this.#format;
    const [vertical, horizontal] = grid.spacing;
    const spacing = size
      ? ([(vertical * grid.rows) / size, (horizontal * grid.columns) / size] as const)
      : grid.spacing;
    const digits = String(grid.slices - 1).length;
    const indices = Array.from({ length: Math.ceil(grid.slices / every) }, (_, i) => i * every);
    return (await this.#filled(opened, indices)).map((slice) => ({
      id: grid.slices === 1 ? id : `${id}/${String(slice).padStart(digits, '0')}`,
      group: group!,
      spacing,
      files: [image, ...masks],
      slice,
    }));
  }

  /** An image of 0..255 and its mask, as large as the slice is in the file. */
  async read({ files, slice }: SliceFiles): Promise<{ image: Image; mask: Mask }> {
    // One image may be listed with several masks.
    const opened = this.volumes.find(({ image, masks }) =>
      [image, ...masks].every((path, i) => path === files[i]),
    )!;
    const { rows, columns, at } = opened.grid;
    const { voxels, range } = await this.#voxels.get(opened);
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < values.length; i++) {
      values[i] = voxels[at(slice, Math.floor(i / columns), i % columns)]!;
    }
    const classes = await this.#labels.get(opened);
    return {
      image: { shape: [rows, columns, 1], data: toGrey(values, range) },
      mask: { shape: [rows, columns], data: sliceOf(classes, opened.grid, slice) },
    };
  }

  async #filled(opened: Opened, indices: readonly number[]): Promise<readonly number[]> {
    if (!this.#format.skipEmpty) return indices;
    const classes = await this.#labels.get(opened);
    return indices.filter((slice) =>
      sliceOf(classes, opened.grid, slice).some((value) => value > 0 && value !== IGNORED),
    );
  }

  #range({ volume }: Opened, voxels: ArrayLike<number>): Range {
    const { window } = this.#format;
    if (!window) return volume.window ?? usualRange(voxels);
    const [centre, width] = window as [number, number];
    return [centre - width / 2, centre + width / 2];
  }
}

function sliceOf(classes: Uint8Array, { rows, columns }: Grid, slice: number): Uint8Array {
  return classes.slice(slice * rows * columns, (slice + 1) * rows * columns);
}

/** Remembers what was made of the last few volumes. */
class Recent<T> {
  readonly #make: (opened: Opened) => Promise<T>;
  readonly #made = new Map<Opened, Promise<T>>();

  constructor(make: (opened: Opened) => Promise<T>) {
    this.#make = make;
  }

  get(opened: Opened): Promise<T> {
    const made = this.#made.get(opened) ?? this.#make(opened);
    // The one used last comes last; the first one goes.
    this.#made.delete(opened);
    this.#made.set(opened, made);
    if (this.#made.size > KEPT) this.#made.delete(this.#made.keys().next().value!);
    return made;
  }
}
