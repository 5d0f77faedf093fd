import { describe, expect, it } from 'vitest';
import { makeRandom } from '../../../core/random.ts';
import { augment, flip, rotate, type Pair } from '../../../core/training/augment.ts';
import { domain, sample, SIZE } from './helpers.ts';

const random = makeRandom(3);

/** A disc whose image is its mask at full intensity. */
function disc(): Pair {
  const size = 32;
  const mask = new Uint8Array(size * size).map((_, at) => {
    const [y, x] = [Math.floor(at / size) - 12, (at % size) - 18];
    return Number(x * x + y * y < 64);
  });
  const data = Float32Array.from(mask, (inside) => inside * 255);
  return { image: { shape: [size, size, 1], data }, mask: { shape: [size, size], data: mask } };
}

/** Coordinates in the channels: y, x and a constant. */
function coordinates(height: number, width: number): Pair {
  const data = new Float32Array(height * width * 3).map((_, at) => {
    const pixel = Math.floor(at / 3);
    return [Math.floor(pixel / width), pixel % width, 9][at % 3]!;
  });
  const mask = new Uint8Array(height * width).map((_, at) => at % 2);
  return { image: { shape: [height, width, 3], data }, mask: { shape: [height, width], data: mask } };
}

describe('flip', () => {
  it.each(['horizontal', 'vertical'] as const)('%s twice is the identity, once is not', (axis) => {
    const pair = coordinates(3, 5);
    expect(flip(flip(pair, axis), axis)).toEqual(pair);
    expect(flip(pair, axis)).not.toEqual(pair);
  });

  it('exchanges left and right, or top and bottom, of each channel', () => {
    const at = (pair: Pair, y: number, x: number) => [
      ...pair.image.data.slice((y * 5 + x) * 3, (y * 5 + x) * 3 + 3),
    ];
    expect(at(flip(coordinates(3, 5), 'horizontal'), 1, 0)).toEqual([1, 4, 9]);
    expect(at(flip(coordinates(3, 5), 'vertical'), 0, 3)).toEqual([2, 3, 9]);
  });
});

describe('rotate', () => {
  it('by 0 degrees is the identity, by 360 too', () => {
    const pair = coordinates(4, 6);
    expect(rotate(pair, 0, domain)).toEqual(pair);
    expect(rotate(pair, 360, domain)).toEqual(pair);
  });

  it('turns counter-clockwise: by 90 degrees the right edge comes to the top', () => {
    const { image } = rotate(coordinates(5, 5), 90, domain);
    for (let x = 0; x < 5; x++) expect([...image.data.slice(x * 3, x * 3 + 2)]).toEqual([x, 4]);
  });

  it('keeps image and mask aligned', () => {
    const { image, mask } = rotate(disc(), 9, domain);
    let inside = 0;
    mask.data.forEach((value, at) => {
      inside += value;
      // Half a pixel of a nearest neighbour is worth at most half the edge of a bilinear image in each direction.
      expect(Math.abs(image.data[at]! / 255 - value)).toBeLessThanOrEqual(0.76);
    });
    const agreeing = mask.data.filter((value, at) => Number(image.data[at]! > 127) === value).length;
    expect(agreeing).toBeGreaterThan(0.98 * mask.data.length);
    expect(inside).toBeGreaterThan(180);
    expect(mask.data).not.toEqual(disc().mask.data);
  });

  it('gives whole grey levels within the range, also outside the frame', () => {
    const { image } = rotate(sample(1), 31, domain);
    expect(image.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(true);
    // Noise of 0..219 mirrored at the edges leaves no black corners.
    expect(image.data[0]! + image.data[SIZE * SIZE - 1]!).toBeGreaterThan(0);
    const flat = { ...sample(1), image: { shape: [8, 8, 1] as const, data: new Float32Array(64).fill(77) } };
    expect(rotate(flat, 31, domain).image.data.every((value) => value === 77)).toBe(true);
  });
});

describe('augment', () => {
  it('is a function of its random stream alone', () => {
    const options = { flips: true, rotation: 10 };
    const once = (key: string) => augment(sample(0), options, domain, random(key));
    expect(once('a')).toEqual(once('a'));
    const results = new Set(Array.from({ length: 20 }, (_, i) => once(`k${i}`).image.data.join()));
    expect(results.size).toBe(20);
  });

  it('changes nothing when everything is off', () => {
    const pair = sample(0);
    expect(augment(pair, { flips: false, rotation: 0 }, domain, random('x'))).toEqual(
      expect.objectContaining({ image: pair.image, mask: pair.mask }),
    );
  });

  it('takes each of the four flips about as often', () => {
    const seen = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const { image } = augment(coordinates(2, 2), { flips: true, rotation: 0 }, domain, random('flip', i));
      const corner = image.data.slice(0, 2).join();
      seen.set(corner, (seen.get(corner) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['0,0', '0,1', '1,0', '1,1']);
    for (const count of seen.values()) expect(count).toBeGreaterThan(70);
  });
});
