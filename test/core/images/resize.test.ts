import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantise, resizeImage, resizeMask, type Image, type Mask } from '../../../core/index.ts';

const grey = (height: number, width: number, value: (row: number, column: number) => number): Image => ({
  shape: [height, width, 1],
  data: Float32Array.from({ length: height * width }, (_, i) => value(Math.floor(i / width), i % width)),
});
const mask = (height: number, width: number, value: (row: number, column: number) => number): Mask => ({
  shape: [height, width],
  data: Uint8Array.from(grey(height, width, value).data),
});

describe('resizeImage', () => {
  it('returns the image itself at its own size', () => {
    const image = grey(5, 7, (row, column) => 31 * row + column);
    expect(resizeImage(image, 5, 7)).toEqual(image);
  });

  it('keeps constants, bounds and whatever the number of channels', () => {
    const side = fc.integer({ min: 1, max: 40 });
    const level = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(side, side, side, side, level, level, (h, w, newH, newW, low, range) => {
        const data = Float32Array.from({ length: h * w * 3 }, (_, i) => low + ((i * 37) % (range + 1)));
        const result = resizeImage({ shape: [h, w, 3], data }, newH, newW);
        expect(result.shape).toEqual([newH, newW, 3]);
        for (const value of result.data) {
          expect(value).toBeGreaterThan(low - 1e-3);
          expect(value).toBeLessThan(low + range + 1e-3);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps a linear ramp linear away from the border, whichever way it is scaled', () => {
    for (const size of [10, 20, 80, 160]) {
      const { data } = resizeImage(
        grey(40, 40, (_row, column) => 2 * (column + 0.5)),
        size,
        size,
      );
      const scale = 40 / size;
      for (let x = 0; x < size; x++) {
        const centre = (x + 0.5) * scale;
        if (centre < Math.max(1, scale) || centre > 40 - Math.max(1, scale)) continue;
        expect(data[x]).toBeCloseTo(2 * centre, 3);
      }
    }
  });

  it('weighs by the widened triangle', () => {
    // Halving one row of four: the first pixel sees columns at distances 0.5, 0.5 and 1.5 of support 2.
    const { data } = resizeImage(
      grey(1, 4, (_row, column) => [10, 20, 30, 40][column]!),
      1,
      2,
    );
    const weights = [0.75, 0.75, 0.25];
    expect(data[0]).toBeCloseTo((0.75 * 10 + 0.75 * 20 + 0.25 * 30) / weights.reduce((a, b) => a + b), 4);
    expect(data[1]).toBeCloseTo(50 - data[0]!, 4);
  });

  it('does not alias: fine stripes become their mean', () => {
    const { data } = resizeImage(
      grey(64, 64, (_row, column) => (column % 2) * 200),
      8,
      8,
    );
    const inner = [...data].filter((_, i) => i % 8 > 0 && i % 8 < 7);
    for (const value of inner) expect(value).toBeCloseTo(100, 3);
  });
});

describe('resizeMask', () => {
  it('keeps the covered share of a disc', () => {
    const disc = mask(300, 200, (row, column) =>
      Number(((row - 150) / 90) ** 2 + ((column - 100) / 60) ** 2 < 1),
    );
    const small = resizeMask(disc, 32, 32);
    const share = ({ data }: Mask) => data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(share(small) - share(disc))).toBeLessThan(0.01);
  });

  it('is the threshold at one half of the resized image', () => {
    const source = mask(23, 31, (row, column) => Number((row * 5 + column * 3) % 11 < 6));
    const resized = resizeImage({ shape: [23, 31, 1], data: Float32Array.from(source.data) }, 10, 12);
    expect([...resizeMask(source, 10, 12).data]).toEqual(
      [...resized.data].map((value) => Number(value > 0.5)),
    );
  });

  it('gives each pixel the class that covers most of it', () => {
    const source = mask(8, 12, (_row, column) => [0, 2, 7][Math.floor(column / 4)]!);
    expect([...resizeMask(source, 1, 3).data]).toEqual([0, 2, 7]);
  });

  it('makes up no class', () => {
    const source = mask(17, 17, (row, column) => [0, 2, 6][(row * column) % 3]!);
    for (const value of resizeMask(source, 9, 9).data) expect([0, 2, 6]).toContain(value);
  });
});

describe('quantise', () => {
  it('gives the nearest level inside the bounds', () => {
    const image = grey(1, 6, (_row, column) => [-3, 0.49, 0.5, 99.6, 254.5, 300][column]!);
    expect([...quantise(image, { low: 0, high: 255, step: 1 }).data]).toEqual([0, 0, 1, 100, 255, 255]);
  });

  it('counts levels from the lower bound', () => {
    const image = grey(1, 3, (_row, column) => [-0.9, -0.6, 0.9][column]!);
    expect([...quantise(image, { low: -1, high: 1, step: 0.5 }).data]).toEqual([-1, -0.5, 1]);
  });
});
