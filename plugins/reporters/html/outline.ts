import type { Image } from '../../../core/index.ts';

/**
 * Outlines of the regions of a mask as an SVG path in pixels: the edges between two pixels of different value, and
 * between marked pixels and the border, joined to closed lines.
 */
export function outline(mask: Image): string {
  const [, width] = mask.shape;
  const neighbours = edges(mask);
  let path = '';
  for (const start of neighbours.keys()) {
    // Every point has an even number of edges: a walk ends where it began.
    while (neighbours.get(start)!.size > 0) path += walk(start, neighbours, width + 1);
  }
  return path;
}

type Edges = Map<number, Set<number>>;

/** Corners of pixels, numbered row by row, and those they are joined with. */
function edges({ shape: [height, width, channels], data }: Image): Edges {
  const found: Edges = new Map();
  const at = (y: number, x: number) =>
    y < 0 || x < 0 || y >= height || x >= width ? 0 : data[(y * width + x) * channels]!;
  const join = (a: number, b: number) => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      found.set(from, (found.get(from) ?? new Set()).add(to));
  };
  for (let y = 0; y <= height; y++)
    for (let x = 0; x <= width; x++) {
      const corner = y * (width + 1) + x;
      if (at(y - 1, x) !== at(y, x)) join(corner, corner + 1);
      if (at(y, x - 1) !== at(y, x)) join(corner, corner + width + 1);
    }
  return found;
}

/** One closed line, whose edges are used up; steps in one direction become one stroke. */
function walk(start: number, neighbours: Edges, row: number): string {
  let path = `M${start % row} ${Math.floor(start / row)}`;
  let [from, direction, length] = [start, 0, 0];
  const stroke = () =>
    length === 0
      ? ''
      : Math.abs(direction) === 1
        ? `h${direction * length}`
        : `v${Math.sign(direction) * length}`;
  for (let to = next(from); to !== undefined; to = next(from)) {
    neighbours.get(from)!.delete(to);
    neighbours.get(to)!.delete(from);
    if (to - from !== direction) {
      path += stroke();
      [direction, length] = [to - from, 0];
    }
    length++;
    from = to;
  }
  return path + stroke();

  function next(corner: number): number | undefined {
    const [first] = neighbours.get(corner)!;
    // Straight on where lines cross.
    return neighbours.get(corner)!.has(corner + direction) ? corner + direction : first;
  }
}
