import type { Random } from '../../../core/index.ts';
import { bump, smoothstep } from './canvas.ts';
import { between, chance } from './noise.ts';

/**
 * Chest coordinates: `a` from the midline (-0.5 is the viewer's left), `b` from the top, both in image widths, before
 * the patient is shifted and tilted.
 */
export interface Chest {
  /** About the distance to the border of the lung fields in image widths; positive inside. */
  lung(a: number, b: number): number;
  /** About the distance to the border of heart and aorta; positive inside. */
  heart(a: number, b: number): number;
  /** About the distance to the outline of the body; positive inside. */
  body(a: number, b: number): number;
  /** Top of the diaphragm under a point. */
  dome(a: number): number;
  /** Chest to image coordinates, and back. */
  place(a: number, b: number): readonly [x: number, y: number];
  locate(x: number, y: number): readonly [a: number, b: number];
  readonly left: Lung;
  readonly right: Lung;
}

/** One lung, its side given by the viewer. */
export interface Lung {
  readonly side: -1 | 1;
  readonly apex: number;
  /** Height of the diaphragm's dome. */
  readonly base: number;
  /** Largest distance of the lateral border from the midline. */
  readonly reach: number;
  readonly tip: number;
  readonly gap: number;
  readonly drop: number;
  readonly bulge: number;
  readonly phase: number;
}

/** Draws the proportions of one patient. */
export function makeChest(random: Random): Chest {
  const apex = between(random, 0.06, 0.16);
  const base = between(random, 0.63, 0.87);
  const reach = between(random, 0.31, 0.44);
  const raised = chance(random, 0.25) ? between(random, -0.14, 0.14) : between(random, 0, 0.05);
  const left = makeLung(random, -1, apex, base - raised, reach);
  const right = makeLung(random, 1, apex, base, reach);
  const heart = makeHeart(random, apex, base);
  const lung = (a: number, b: number) => {
    const field = lungDepth(a < 0 ? left : right, Math.abs(a), b);
    return Math.min(field, -heart(a, b));
  };
  const dome = (a: number) => domeOf(a < 0 ? left : right, Math.abs(a));
  const shoulder = between(random, 0.02, 0.14);
  const girth = reach + between(random, 0.05, 0.13);
  const body = (a: number, b: number) => bodyHalfWidth(b, shoulder, girth) - Math.abs(a);
  return { lung, heart, body, dome, left, right, ...makePose(random) };
}

function makeLung(random: Random, side: -1 | 1, apex: number, base: number, reach: number): Lung {
  return {
    side,
    apex: apex + between(random, -0.015, 0.015),
    base: base + between(random, -0.02, 0.02),
    reach: reach * between(random, 0.92, 1.06),
    tip: between(random, 0.1, 0.16),
    gap: between(random, 0.035, 0.075),
    drop: between(random, 0.05, 0.14),
    bulge: between(random, -0.012, 0.012),
    phase: between(random, 0, 6.28),
  };
}

/** The smallest of the distances to the medial, lateral and lower border. */
function lungDepth(lung: Lung, a: number, b: number): number {
  const { apex, base, reach, tip, gap, bulge, phase } = lung;
  const t = (b - apex) / (base - apex);
  if (t <= 0) return (b - apex) * 0.6;
  const arc = (q: number) => Math.sqrt(1 - (1 - Math.min(1, q)) ** 2);
  const wave = bulge * Math.sin(7 * t + phase) * Math.min(1, 3 * t);
  const lateral = tip + (reach - tip) * arc(t / 0.8) + wave + 0.03 * Math.max(0, t - 0.8);
  const medial = tip - (tip - gap) * arc(t / 0.3) - 0.6 * wave + 0.03 * Math.max(0, t - 0.6);
  return Math.min(lateral - a, a - medial, domeOf(lung, a) - b);
}

/** The dome rises to `base` and falls towards the costophrenic angle. */
function domeOf({ base, reach, drop, gap }: Lung, a: number): number {
  const summit = gap + 0.42 * (reach - gap);
  const u = (a - summit) / (reach - summit);
  return base + drop * u * u * (u > 0 ? 0.7 + 0.3 * u : 0.5);
}

function makeHeart(random: Random, apex: number, base: number): (a: number, b: number) => number {
  const width = between(random, 0.1, 0.18);
  const height = between(random, 0.1, 0.14);
  const [ca, cb] = [between(random, 0.045, 0.09), base - between(random, 0.03, 0.09)];
  const angle = between(random, 0.2, 0.7);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const knob = between(random, 0.035, 0.05);
  const [ka, kb] = [between(random, 0.02, 0.045), apex + between(random, 0.17, 0.23)];
  return (a, b) => {
    const [p, q] = [cos * (a - ca) + sin * (b - cb), cos * (b - cb) - sin * (a - ca)];
    const ellipse = (1 - Math.sqrt((p / (1.15 * width)) ** 2 + (q / height) ** 2)) * Math.min(width, height);
    return Math.max(ellipse, knob - Math.sqrt((a - ka) ** 2 + (b - kb) ** 2));
  };
}

function bodyHalfWidth(b: number, shoulder: number, girth: number): number {
  const neck = 0.1 + 0.05 * smoothstep(0.1, 0, b);
  return (
    neck + (girth - neck) * smoothstep(shoulder - 0.09, shoulder + 0.13, b) - 0.04 * smoothstep(0.3, 0.75, b)
  );
}

function makePose(random: Random): Pick<Chest, 'place' | 'locate'> {
  const angle = between(random, -0.13, 0.13);
  const scale = between(random, 0.84, 1.12);
  const [x0, y0] = [between(random, 0.43, 0.57), between(random, 0.43, 0.57)];
  const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  const norm = scale * scale;
  return {
    place: (a, b) => [x0 + cos * a - sin * (b - 0.5), y0 + sin * a + cos * (b - 0.5)],
    locate: (x, y) => [
      (cos * (x - x0) + sin * (y - y0)) / norm,
      0.5 + (cos * (y - y0) - sin * (x - x0)) / norm,
    ],
  };
}

/** A vertebral column: bright bodies with darker discs between them. */
export function spine(a: number, b: number, rhythm: number): number {
  return bump(a, 0, 0.045) * (0.7 + 0.3 * Math.sin(b * rhythm));
}
