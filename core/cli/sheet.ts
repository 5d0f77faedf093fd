import { resizeImage, resizeMask } from '../images/index.ts';
import type { Dataset, Image, Mask, Sample, Split } from '../vocabulary.ts';

/** Pictures a row, rows per split, and rows and columns of a picture. */
const COLUMNS = 6;
const ROWS = 2;
const SIDE = 128;

/** Outlines of the classes, the first foreground class first; further classes start over. */
const COLOURS = [
  [255, 64, 64],
  [64, 208, 255],
  [255, 208, 64],
  [96, 255, 96],
  [224, 96, 255],
] as const;

/** Images spread evenly over each split with the outlines of their masks, `[rows, columns, 3]`; training above test. */
export async function contactSheet(data: Dataset): Promise<Image> {
  const samples = [...(await spread(data.train)), ...(await spread(data.test))];
  const rows = Math.ceil(samples.length / COLUMNS);
  const [height, width] = [rows * SIDE, COLUMNS * SIDE];
  const sheet: Image = { shape: [height, width, 3], data: new Float32Array(height * width * 3) };
  samples.forEach((sample, i) => {
    if (sample) paste(sheet, picture(sample, data), Math.floor(i / COLUMNS) * SIDE, (i % COLUMNS) * SIDE);
  });
  return sheet;
}

/** Up to two rows of samples; the last row is filled up with nothing. */
async function spread(split: Split): Promise<(Sample | undefined)[]> {
  const count = Math.min(split.ids.length, COLUMNS * ROWS);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * split.ids.length) / count));
  // One that cannot be read stays black; the survey names it.
  const read = (index: number) => split.get(index).catch(() => undefined);
  const samples = await Promise.all(indices.map(read));
  while (samples.length % COLUMNS > 0) samples.push(undefined);
  return samples;
}

/** `[SIDE, SIDE, 3]` in 0..255, with the pixels at the border of each class coloured. */
function picture({ image, mask }: Sample, { domain, channels }: Dataset): Image {
  const small = resizeImage(image, SIDE, SIDE);
  const outlined = resizeMask(mask, SIDE, SIDE);
  const data = Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const at = Math.floor(i / 3);
    if (isBorder(outlined, at)) return COLOURS[(outlined.data[at]! - 1) % COLOURS.length]![i % 3]!;
    const value = small.data[channels === 3 ? i : at * channels]!;
    return Math.round((255 * (value - domain.low)) / (domain.high - domain.low));
  });
  return { shape: [SIDE, SIDE, 3], data };
}

/** A foreground pixel with a neighbour of another class. */
function isBorder({ data, shape: [height, width] }: Mask, at: number): boolean {
  const value = data[at]!;
  const [row, column] = [Math.floor(at / width), at % width];
  const differs = (y: number, x: number) =>
    y >= 0 && y < height && x >= 0 && x < width && data[y * width + x] !== value;
  return (
    value > 0 &&
    (differs(row - 1, column) ||
      differs(row + 1, column) ||
      differs(row, column - 1) ||
      differs(row, column + 1))
  );
}

function paste(sheet: Image, { data }: Image, top: number, left: number): void {
  const [, width] = sheet.shape;
  for (let row = 0; row < SIDE; row++) {
    const line = data.subarray(row * SIDE * 3, (row + 1) * SIDE * 3);
    sheet.data.set(line, ((top + row) * width + left) * 3);
  }
}
