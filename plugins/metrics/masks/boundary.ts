/**
 * The pixels of a mask that are at most `pixels` king's moves from a pixel outside it; the outside of the image
 * counts as outside. That is the mask without its erosion by a square of 2 `pixels` + 1.
 */
export function boundary(
  mask: Uint8Array,
  [height, width]: readonly [height: number, width: number],
  pixels: number,
): Uint8Array {
  const stride = width + 2;
  // With a border of zeros, so that every neighbour exists.
  const depth = new Int32Array(stride * (height + 2));
  for (let y = 1, at = 0; y <= height; y++) {
    for (let x = 1; x <= width; x++, at++) {
      if (mask[at] === 0) continue;
      const i = y * stride + x;
      depth[i] =
        1 + Math.min(depth[i - 1]!, depth[i - stride - 1]!, depth[i - stride]!, depth[i - stride + 1]!);
    }
  }
  const found = new Uint8Array(mask.length);
  for (let y = height, at = mask.length - 1; y >= 1; y--) {
    for (let x = width; x >= 1; x--, at--) {
      const i = y * stride + x;
      const ahead =
        1 + Math.min(depth[i + 1]!, depth[i + stride - 1]!, depth[i + stride]!, depth[i + stride + 1]!);
      depth[i] = Math.min(depth[i]!, ahead);
      found[at] = Number(depth[i] > 0 && depth[i] <= pixels);
    }
  }
  return found;
}
