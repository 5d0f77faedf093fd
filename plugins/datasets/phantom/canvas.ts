/** A square picture while it is drawn: row-major `[size, size, channels]`, 0 black and 1 white. */
export interface Canvas {
  readonly size: number;
  readonly channels: number;
  readonly data: Float32Array;
  /** How far the line that is being drawn covers each pixel; all 0 between lines. */
  readonly cover: Float32Array;
}

/** A point of a line, in image coordinates 0..1 from the top left, and the half width of the line there. */
export type Knot = readonly [x: number, y: number, radius: number];

export function makeCanvas(size: number, channels: number): Canvas {
  const pixels = size * size;
  return { size, channels, data: new Float32Array(pixels * channels), cover: new Float32Array(pixels) };
}

/** Visits every pixel centre, in image coordinates 0..1, with its index. */
export function eachPixel(size: number, visit: (x: number, y: number, index: number) => void): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      visit((column + 0.5) / size, (row + 0.5) / size, row * size + column);
    }
  }
}

/** Visits the pixels that a line covers, each once, with the covered share (anti-aliased). */
export function stroke(
  canvas: Canvas,
  line: readonly Knot[],
  visit: (index: number, cover: number) => void,
): void {
  const touched: number[] = [];
  for (let k = 0; k + 1 < line.length; k++) segment(canvas, line[k]!, line[k + 1]!, touched);
  for (const index of touched) {
    visit(index, canvas.cover[index]!);
    canvas.cover[index] = 0;
  }
}

function segment({ size, cover }: Canvas, from: Knot, to: Knot, touched: number[]): void {
  const [x0, y0, r0] = from;
  const [x1, y1, r1] = to;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length2 = dx * dx + dy * dy || 1e-12;
  const widest = Math.max(r0, r1);
  // A line thinner than a pixel covers a part of it only.
  const most = Math.min(1, 2 * widest * size);
  const reach = widest + 1 / size;
  const pixel = (value: number) => Math.min(size - 1, Math.max(0, Math.floor(value * size)));
  const lastRow = pixel(Math.max(y0, y1) + reach);
  const firstColumn = pixel(Math.min(x0, x1) - reach);
  const lastColumn = pixel(Math.max(x0, x1) + reach);
  for (let row = pixel(Math.min(y0, y1) - reach); row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const px = (column + 0.5) / size - x0;
      const py = (row + 0.5) / size - y0;
      const t = Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const gap = Math.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2) - (r0 + t * (r1 - r0));
      const share = Math.min(most, 0.5 - gap * size);
      const index = row * size + column;
      if (share <= cover[index]!) continue;
      if (cover[index] === 0) touched.push(index);
      cover[index] = share;
    }
  }
}

/** 0 at `from`, 1 at `to`, smooth between; falls where `from` is the larger. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** A smooth bump: 1 at distance 0, 0.37 at distance `radius`, 0 from three times that on. */
export function bump(dx: number, dy: number, radius: number): number {
  const distance2 = (dx * dx + dy * dy) / (radius * radius);
  return distance2 < 9 ? Math.exp(-distance2) : 0;
}
