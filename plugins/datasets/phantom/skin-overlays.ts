import type { Random } from '../../../core/index.ts';
import { stroke, type Canvas, type Knot } from './canvas.ts';
import type { Colour } from './lesion.ts';
import { between, chance } from './noise.ts';

function paint({ data }: Canvas, index: number, colour: Colour, opacity: number): void {
  for (let c = 0; c < 3; c++) data[3 * index + c]! += opacity * (colour[c]! - data[3 * index + c]!);
}

function drawLine(canvas: Canvas, line: readonly Knot[], colour: Colour, opacity: number): void {
  stroke(canvas, line, (index, cover) => paint(canvas, index, colour, opacity * cover));
}

/** Small moles and freckles, which are not the lesion. */
export function drawMoles(random: Random, canvas: Canvas): void {
  for (let k = chance(random, 0.4) ? 1 + random.below(5) : 0; k > 0; k--) {
    const [x, y, radius] = [random.uniform(), random.uniform(), between(random, 0.008, 0.022)];
    const mole = [x, x + radius].map((at): Knot => [at, y, radius]);
    drawLine(canvas, mole, [0.35, 0.2, 0.14], between(random, 0.2, 0.8));
  }
}

/** A surgeon's violet pen, or the edge of a coloured sticker. */
export function drawPen(random: Random, canvas: Canvas): void {
  if (chance(random, 0.8)) return;
  const ink: Colour = chance(random, 0.6) ? [0.32, 0.18, 0.5] : [0.15, 0.45, 0.6];
  const left = chance(random, 0.5) ? between(random, -0.02, 0.1) : between(random, 0.9, 1.02);
  const radius = between(random, 0.015, 0.09);
  const wave = between(random, -0.1, 0.1);
  const [top, length] = [between(random, 0, 0.7), between(random, 0.05, 0.4)];
  const line = Array.from({ length: 8 }, (_, k): Knot => [
    left + wave * Math.sin(k / 2),
    top + (length * k) / 7,
    radius,
  ]);
  drawLine(canvas, line, ink, between(random, 0.5, 0.9));
}

/** Ticks along an edge. */
export function drawRuler(random: Random, canvas: Canvas): void {
  if (chance(random, 0.8)) return;
  const [edge, gap] = [chance(random, 0.5) ? 0.02 : 0.98, between(random, 0.025, 0.06)];
  const upright = chance(random, 0.5);
  for (let k = 0; k * gap < 1; k++) {
    const end = edge + Math.sign(0.5 - edge) * (k % 5 === 0 ? 0.07 : 0.035);
    const along = k * gap;
    const tick = [edge, end].map((across): Knot =>
      upright ? [across, along, 0.003] : [along, across, 0.003],
    );
    drawLine(canvas, tick, [0.08, 0.08, 0.1], 0.8);
  }
}

/** Dark or fair hairs across skin and lesion. */
export function drawHairs(random: Random, canvas: Canvas): void {
  const shadeOfHair: Colour = chance(random, 0.8) ? [0.12, 0.08, 0.07] : [0.85, 0.8, 0.7];
  for (let k = chance(random, 0.5) ? 1 + random.below(16) : 0; k > 0; k--) {
    const [x, y, angle] = [random.uniform(), random.uniform(), between(random, 0, 6.28)];
    const length = between(random, 0.15, 0.7);
    const curl = between(random, -1.2, 1.2);
    const radius = between(random, 0.0012, 0.004);
    const hair = Array.from({ length: 9 }, (_, j): Knot => {
      const [t, turn] = [j / 8, angle + (curl * j) / 8];
      return [x + length * t * Math.cos(turn), y + length * t * Math.sin(turn), radius * (1 - 0.6 * t)];
    });
    drawLine(canvas, hair, shadeOfHair, between(random, 0.5, 0.95));
  }
}

/** Air bubbles in the contact fluid: bright rims. */
export function drawBubbles(random: Random, canvas: Canvas): void {
  for (let k = chance(random, 0.25) ? 1 + random.below(8) : 0; k > 0; k--) {
    const [x, y, radius] = [random.uniform(), random.uniform(), between(random, 0.01, 0.05)];
    const rim = Array.from({ length: 13 }, (_, j): Knot => {
      const angle = (j * Math.PI) / 6;
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle), 0.0025];
    });
    drawLine(canvas, rim, [0.95, 0.95, 0.95], between(random, 0.3, 0.8));
  }
}
