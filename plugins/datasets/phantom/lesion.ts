import type { Random } from '../../../core/index.ts';
import { smoothstep } from './canvas.ts';
import { between, chance, smoothNoise } from './noise.ts';

/** Red, green and blue, 0..1. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A pigmented lesion in image coordinates. */
export interface Lesion {
  /** About the distance to the border in image widths; positive inside. */
  depth(x: number, y: number): number;
  /** Pigments at a point whose depth is known. */
  pigment(x: number, y: number, depth: number): Pigment;
}

/** Amounts of what colours a lesion, 0 for bare skin. */
export interface Pigment {
  readonly melanin: number;
  readonly blood: number;
  /** Blue-white veil. */
  readonly veil: number;
}

/** Draws shape and colour of one lesion: overlapping lobes with a ragged border, unevenly pigmented. */
export function makeLesion(random: Random): Lesion {
  const share = 0.025 + 0.36 * random.uniform() ** 1.5;
  const depth = makeShape(random, Math.sqrt(share / Math.PI));
  return { depth, pigment: makePigment(random) };
}

interface Lobe {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Stretching along a direction. */
  readonly cos: number;
  readonly sin: number;
  readonly ratio: number;
}

function makeShape(random: Random, radius: number): Lesion['depth'] {
  const [cx, cy] = [between(random, 0.36, 0.64), between(random, 0.36, 0.64)];
  const lobes = Array.from({ length: 1 + random.below(4) }, (_, k) =>
    makeLobe(random, cx, cy, radius, k === 0),
  );
  const coarse = smoothNoise(random, 5);
  const fine = smoothNoise(random, 16);
  const ragged = radius * between(random, 0.1, 0.4);
  const notched = radius * between(random, 0.03, 0.22);
  return (x, y) => {
    let deepest = -1;
    for (const lobe of lobes) {
      const u = lobe.cos * (x - lobe.x) + lobe.sin * (y - lobe.y);
      const v = lobe.cos * (y - lobe.y) - lobe.sin * (x - lobe.x);
      const depth = lobe.radius - Math.sqrt(u * u * lobe.ratio + (v * v) / lobe.ratio);
      if (depth > deepest) deepest = depth;
    }
    return deepest < -0.25 ? deepest : deepest + ragged * coarse(x, y) + notched * fine(x, y);
  };
}

function makeLobe(random: Random, cx: number, cy: number, radius: number, main: boolean): Lobe {
  const angle = between(random, 0, 2 * Math.PI);
  const away = main ? 0 : radius * between(random, 0.4, 1);
  return {
    x: cx + away * Math.cos(angle),
    y: cy + away * Math.sin(angle),
    radius: radius * (main ? between(random, 0.85, 1) : between(random, 0.35, 0.7)),
    cos: Math.cos(2 * angle),
    sin: Math.sin(2 * angle),
    ratio: between(random, 1, 1.7),
  };
}

function makePigment(random: Random): Lesion['pigment'] {
  const faint = chance(random, 0.4);
  const melanin = faint ? between(random, 0.18, 0.45) : between(random, 0.5, 1.6);
  const blood = chance(random, 0.35) ? between(random, 0.2, 0.8) : 0.06;
  const veil = chance(random, 0.3) ? between(random, 0.3, 0.8) : 0;
  const regression = chance(random, 0.35) ? between(random, 0.4, 0.85) : 0;
  const soft = between(random, 0.006, 0.05);
  const patches = smoothNoise(random, 6);
  const islands = smoothNoise(random, 4);
  const network = smoothNoise(random, 34);
  const uneven = between(random, 0.2, 0.8);
  return (x, y, depth) => {
    if (depth < -soft) return { melanin: 0, blood: 0, veil: 0 };
    const body = smoothstep(-soft, 1.2 * soft, depth);
    const island = islands(x, y);
    const lost = regression * smoothstep(0.1, 0.5, island) * smoothstep(0, 0.08, depth);
    const local = (1 + uneven * patches(x, y) + 0.3 * network(x, y)) * (1 - lost);
    return {
      melanin: Math.max(0, melanin * local * body),
      blood: blood * body * (1 + 0.6 * island),
      veil: veil * smoothstep(0.1, 0.7, -island) * smoothstep(0, 0.06, depth),
    };
  };
}
