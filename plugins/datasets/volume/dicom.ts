import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSet } from 'dicom-parser';
import type { Geometry, Triple } from './geometry.ts';
import { checkVoxels } from './header.ts';
import { inItk } from './itk.ts';
import { unreadable } from './unreadable.ts';

/** A DICOM image: one file, or a series of them. */
export interface Dicom {
  readonly geometry: Geometry;
  /** The files in the order of their slices. */
  readonly files: readonly string[];
  /** Lowest and highest intensity for display, where the file says so. */
  readonly window: readonly [low: number, high: number] | null;
  /** Whose it is. It decides what belongs together and goes no further. */
  readonly patient: string | null;
  /** The transfer syntax of compressed pixels. */
  readonly compression: string | null;
}

/** What is read of each file. */
interface Slice {
  readonly path: string;
  readonly tags: DataSet;
  readonly position: Triple | null;
  /** Directions of a row and of a column. */
  readonly axes: readonly [row: Triple, column: Triple];
}

/** Storage of projection radiographs, whose pixels are measured at the detector. */
const PROJECTIONS = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.1(\.|$)/;

/**
 * The header of a file, or of the series in a folder: sorted by position, which must be even.
 *
 * @throws RobustError IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function openDicom(path: string): Promise<Dicom> {
  const folder = (await stat(path)).isDirectory();
  const names = folder ? (await readdir(path)).filter((name) => !/^(\.|DICOMDIR$)/.test(name)).sort() : [];
  if (folder && names.length === 0) throw unreadable(path, 'an empty folder');
  const slices: Slice[] = [];
  for (const file of folder ? names.map((name) => join(path, name)) : [path])
    slices.push(await readSlice(await realpath(file)));
  const sorted = slices.length === 1 ? slices : sortSeries(path, slices);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const size: Triple = [
    first.tags.uint16('x00280011') ?? 0,
    first.tags.uint16('x00280010') ?? 0,
    sorted.length,
  ];
  checkVoxels(path, size);
  const [row, column] = first.axes;
  const normal = cross(row, column);
  const rise =
    sorted.length > 1 ? dot(minus(last.position!, first.position!), normal) / (sorted.length - 1) : 1;
  return {
    geometry: {
      size,
      spacing: [...pixelSpacing(first.tags), rise],
      origin: first.position ?? [0, 0, 0],
      direction: [0, 1, 2].flatMap((i) => [row[i]!, column[i]!, normal[i]!]),
    },
    files: sorted.map((slice) => slice.path),
    window: displayWindow(first.tags),
    patient: text(first.tags, 'x00100020') ?? text(first.tags, 'x00100010') ?? null,
    compression: first.tags.elements['x7fe00010']?.encapsulatedPixelData
      ? (text(first.tags, 'x00020010') ?? 'unknown')
      : null,
  };
}

/**
 * The voxels of a series, rescaled by its slope and intercept; MONOCHROME1 is inverted.
 *
 * @throws RobustError IMAGE_UNREADABLE.
 */
export async function dicomVoxels(dicom: Dicom): Promise<ArrayLike<number>> {
  const { files, compression, geometry } = dicom;
  const { readImageDicomFileSeriesNode } = await import('@itk-wasm/dicom');
  const options = { inputImages: [...files], singleSortedSeries: true };
  const read = inItk(files[0]!, async () => (await readImageDicomFileSeriesNode(options)).outputImage);
  const { imageType, size, data } = await read.catch((cause: unknown) => {
    if (compression === null) throw cause;
    const next = 'decompress the files first, for example with gdcmconv --raw';
    throw unreadable(
      files[0]!,
      `damaged pixels, or a compression not known here: ${compression}`,
      cause,
      next,
    );
  });
  if (imageType.components !== 1 || size.some((side, axis) => side !== geometry.size[axis])) {
    throw unreadable(files[0]!, `${size.join(' x ')} voxels of ${imageType.components} numbers`);
  }
  return data as unknown as ArrayLike<number>;
}

async function readSlice(path: string): Promise<Slice> {
  const { default: parser } = await import('dicom-parser');
  let tags: DataSet;
  try {
    // To the end: GDCM fills up with zeros what a truncated file lacks.
    tags = parser.parseDicom(await readFile(path));
  } catch (cause) {
    throw unreadable(path, 'no DICOM file, or a damaged one', cause);
  }
  const frames = tags.intString('x00280008') ?? 1;
  if (frames > 1) {
    throw unreadable(
      path,
      `${frames} frames in one file`,
      undefined,
      'convert it to NIfTI, or export a file for each frame',
    );
  }
  checkPixels(path, tags);
  const samples = tags.uint16('x00280002') ?? 1;
  if (samples > 1) throw unreadable(path, `a colour image of ${samples} samples a pixel`);
  const [a, b, c, d, e, f] = numbers(tags, 'x00200037', 6) ?? [1, 0, 0, 0, 1, 0];
  return {
    ...{ path, tags },
    position: (numbers(tags, 'x00200032', 3) as Triple | null) ?? null,
    axes: [
      [a!, b!, c!],
      [d!, e!, f!],
    ],
  };
}

/** GDCM fills up with zeros what is not there; compressed pixels it checks itself. */
function checkPixels(path: string, tags: DataSet): void {
  const pixels = tags.elements['x7fe00010'];
  if (!pixels) throw unreadable(path, 'a DICOM file without pixels');
  const sides = [tags.uint16('x00280010') ?? 0, tags.uint16('x00280011') ?? 0];
  const expected = (checkVoxels(path, sides) * (tags.uint16('x00280100') ?? 8)) / 8;
  if (pixels.encapsulatedPixelData || pixels.length >= expected) return;
  throw unreadable(path, `${sides.join(' x ')} pixels in ${pixels.length} bytes`);
}

/** A slice may lie this part of a step away from where it should. */
const TOLERANCE = 0.1;

function sortSeries(folder: string, slices: readonly Slice[]): Slice[] {
  const [first] = slices as [Slice];
  const all = (tag: string) => new Set(slices.map(({ tags }) => text(tags, tag)));
  const separate = 'put every series into a folder of its own';
  if (all('x0020000e').size > 1) {
    throw unreadable(folder, `${all('x0020000e').size} series in one folder`, undefined, separate);
  }
  const differs = slices.some(
    ({ axes, tags }) =>
      ['x00280010', 'x00280011'].some((tag) => tags.uint16(tag) !== first.tags.uint16(tag)) ||
      axes.flat().some((value, i) => Math.abs(value - first.axes.flat()[i]!) > 1e-3),
  );
  if (differs) throw unreadable(folder, 'slices of different sizes or directions', undefined, separate);
  if (slices.some(({ position }) => position === null)) {
    throw unreadable(
      folder,
      'slices that do not say where they lie',
      undefined,
      'list each file as an image of its own',
    );
  }
  const normal = cross(...first.axes);
  const height = ({ position }: Slice) => dot(position!, normal);
  const sorted = [...slices].sort((a, b) => height(a) - height(b));
  const [start, end] = [sorted[0]!.position!, sorted.at(-1)!.position!];
  const step = dot(minus(end, start), normal) / (sorted.length - 1);
  const uneven = sorted.find(({ position }, k) => {
    const expected = start.map((value, i) => value + k * step * normal[i]!) as unknown as Triple;
    return !(step > 0) || Math.hypot(...minus(position!, expected)) > TOLERANCE * step;
  });
  if (uneven) {
    const what = 'slices that are missing, doubled, unevenly spaced or sheared';
    throw unreadable(
      uneven.path,
      what,
      undefined,
      'fetch the whole series again, or resample it to a NIfTI file',
    );
  }
  return sorted;
}

/** Distance of columns and of rows in millimetres, as ITK takes it. */
function pixelSpacing(tags: DataSet): [horizontal: number, vertical: number] {
  const detector = PROJECTIONS.test(text(tags, 'x00080016') ?? '') ? numbers(tags, 'x00181164', 2) : null;
  const [vertical, horizontal] = detector ?? numbers(tags, 'x00280030', 2) ?? [1, 1];
  return [horizontal!, vertical!];
}

/** The first window of a file in rescaled units (DICOM PS3.3, C.11.2.1.2), moved along where ITK inverts the image. */
function displayWindow(tags: DataSet): readonly [low: number, high: number] | null {
  const number = (tag: string, otherwise: number) => numbers(tags, tag, 1)?.[0] ?? otherwise;
  const [centre, width] = [number('x00281050', NaN), number('x00281051', NaN)];
  if (!Number.isFinite(centre) || !(width > 1)) return null;
  const [low, high] = [centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2];
  if (text(tags, 'x00280004') !== 'MONOCHROME1') return [low, high];
  // Inverting what is stored, v to 2^bits - 1 - v.
  const top = tags.uint16('x00280103') === 1 ? -1 : 2 ** (tags.uint16('x00280101') ?? 16) - 1;
  const sum = top * number('x00281053', 1) + 2 * number('x00281052', 0);
  return [sum - high, sum - low];
}

function text(tags: DataSet, tag: string): string | undefined {
  return tags.string(tag)?.trim() || undefined;
}

function numbers(tags: DataSet, tag: string, count: number): number[] | null {
  const values = Array.from({ length: count }, (_, i) => tags.floatString(tag, i) ?? NaN);
  return values.every(Number.isFinite) ? values : null;
}

function cross([a, b, c]: Triple, [d, e, f]: Triple): Triple {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function dot(a: Triple, b: Triple): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function minus(a: Triple, b: Triple): Triple {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}
