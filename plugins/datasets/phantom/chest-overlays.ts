import type { Random } from '../../../core/index.ts';
import { stroke, type Canvas, type Knot } from './canvas.ts';
import type { Chest, Lung } from './chest.ts';
import { between, chance } from './noise.ts';

/** A line on the patient: chest coordinates and half width from t = 0 to 1. */
type Course = (t: number) => readonly [a: number, b: number, radius: number];

function drawOn(canvas: Canvas, chest: Chest, course: Course, amount: number, knots = 8): void {
  const line = Array.from({ length: knots }, (_, k): Knot => {
    const [a, b, radius] = course(k / (knots - 1));
    return [...chest.place(a, b), radius];
  });
  stroke(canvas, line, (index, cover) => (canvas.data[index]! += amount * cover));
}

/** Ribs (those behind steep and clear, those in front faint) and clavicles. */
export function drawBones(random: Random, chest: Chest, canvas: Canvas): void {
  const bone = between(random, 0.03, 0.09);
  for (const lung of [chest.left, chest.right]) {
    const step = (lung.base - lung.apex) / 7.5;
    const lean = between(random, 0.05, 0.12);
    for (let k = -1; k < 9; k++) drawRib(chest, lung, canvas, { rank: k, step, lean, bone });
    drawClavicle(random, chest, lung, canvas, 2 * bone);
  }
}

interface Rib {
  /** -1 for the first. */
  readonly rank: number;
  /** Distance between two ribs. */
  readonly step: number;
  /** How far it falls towards the side. */
  readonly lean: number;
  readonly bone: number;
}

function drawRib(chest: Chest, lung: Lung, canvas: Canvas, { rank, step, lean, bone }: Rib): void {
  const { side, apex, reach } = lung;
  const start = apex + 0.02 + rank * step;
  const out = (reach + 0.04) * Math.min(1, 0.71 + 0.16 * rank);
  const arch = (t: number) => Math.sin(3.1 * t);
  const posterior: Course = (t) => [
    side * (0.03 + t * (out - 0.03)),
    start - 0.03 * arch(t) + lean * t * t,
    0.011,
  ];
  const anterior: Course = (t) => [
    side * out * (1 - 0.6 * t),
    start + lean + 0.13 * t - 0.05 * arch(t),
    0.012,
  ];
  drawOn(canvas, chest, posterior, bone);
  drawOn(canvas, chest, anterior, 0.5 * bone);
}

function drawClavicle(random: Random, chest: Chest, lung: Lung, canvas: Canvas, amount: number): void {
  const inner = lung.apex + between(random, 0.04, 0.08);
  const rise = between(random, 0.03, 0.09);
  const bar: Course = (t) => [
    lung.side * (0.035 + 0.36 * t),
    inner - rise * t + 0.014 * Math.sin(6.3 * t),
    0.013 + 0.004 * Math.cos(6.3 * t),
  ];
  drawOn(canvas, chest, bar, amount);
}

/** Vessels that branch out from the hila. */
export function drawVessels(random: Random, chest: Chest, canvas: Canvas): void {
  for (const { side, apex, base, reach } of [chest.left, chest.right]) {
    for (let k = 0; k < 9; k++) {
      const root = apex + between(random, 0.35, 0.55) * (base - apex);
      const angle = between(random, -1.3, 1.4);
      const length = between(random, 0.12, 0.8 * reach);
      const bend = between(random, -0.5, 0.5);
      const branch: Course = (t) => {
        const [along, turn] = [length * t, angle + bend * t];
        return [side * (0.07 + along * Math.cos(turn)), root + along * Math.sin(turn), 0.009 * (1 - 0.8 * t)];
      };
      drawOn(canvas, chest, branch, between(random, 0.04, 0.1), 6);
    }
  }
}

/** Leads with their electrodes, lying on the patient. */
export function drawDevices(random: Random, chest: Chest, canvas: Canvas): void {
  for (let k = chance(random, 0.35) ? 1 + random.below(3) : 0; k > 0; k--) {
    const from = between(random, -0.3, 0.3);
    const to = between(random, -0.4, 0.4);
    const end = between(random, 0.3, 0.9);
    const bend = between(random, -0.2, 0.2);
    drawOn(
      canvas,
      chest,
      (t) => [from + (to - from) * t + bend * Math.sin(Math.PI * t), t * end, 0.004],
      0.25,
      14,
    );
    drawOn(canvas, chest, () => [to, end, 0.016], 0.3, 2);
  }
}

/** Letters as lines in a box of width 0.6 and height 1. */
const LETTERS = { L: [0, 0, 0, 1, 0.6, 1], R: [0, 1, 0, 0, 0.6, 0.1, 0.5, 0.5, 0, 0.5, 0.6, 1] } as const;

/** A burnt-in L or R. */
export function drawMarker(random: Random, canvas: Canvas): void {
  if (chance(random, 0.5)) return;
  const left = chance(random, 0.5) ? 0.06 : 0.88;
  const top = between(random, 0.05, 0.15);
  const height = between(random, 0.05, 0.08);
  const letter: readonly number[] = chance(random, 0.5) ? LETTERS.L : LETTERS.R;
  const line = Array.from({ length: letter.length / 2 }, (_, k): Knot => {
    return [left + height * letter[2 * k]!, top + height * letter[2 * k + 1]!, 0.008];
  });
  stroke(canvas, line, (index, cover) => (canvas.data[index]! += cover * (0.97 - canvas.data[index]!)));
}
