import { readHeader, readMask, RobustError, type Mask } from '../../../core/index.ts';

/** Masks of SCR have half the sides of the raw images: the field of view must be equal, the size need not. Returns their rows. */
export async function inspectMasks(
  paths: readonly string[],
  [height, width]: readonly [height: number, width: number],
): Promise<number> {
  const headers = await Promise.all(paths.map((path) => readHeader({ path })));
  headers.forEach((header, i) => {
    const sameShape = header.width * height === width * header.height;
    if (sameShape && header.width === headers[0]!.width) return;
    throw new RobustError('MASK_SIZE', {
      message: 'The mask has another shape than its image, or another size than the first mask of the image.',
      where: paths[i]!,
      expected: `the aspect ratio of ${width} x ${height}, all masks of one size`,
      received: `${header.width} x ${header.height} pixels`,
      next: 'use the masks of SCR as they are, or resize image and masks alike',
    });
  });
  return headers[0]!.height;
}

/** The union of the masks, each with its class; where two overlap the later one wins. Grey edges are cut at 128. */
export async function readMasks(paths: readonly string[], classes: readonly number[]): Promise<Mask> {
  const masks = await Promise.all(paths.map((path) => readMask(path, { threshold: 128 })));
  const { shape } = masks[0]!;
  const data = new Uint8Array(shape[0] * shape[1]);
  masks.forEach((mask, k) => {
    mask.data.forEach((inside, i) => {
      if (inside === 1) data[i] = classes[k]!;
    });
  });
  return { shape, data };
}
