import type { Random } from '../../../core/index.ts';

/** Draws from a range. */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

/** Whether something that happens with this probability happens. */
export function chance(random: Random, probability: number): boolean {
  return random.uniform() < probability;
}

/**
 * Value noise: a smooth random function of 0..1 x 0..1 with values in -1..1 and about `cells` bumps a side. The lattice
 * is turned by a random angle, so that its directions do not show.
 */
export function smoothNoise(random: Random, cells: number): (x: number, y: number) => number {
  const side = 2 * cells + 2;
  const lattice = Float32Array.from({ length: side * side }, () => 2 * random.uniform() - 1);
  const angle = between(random, 0, Math.PI / 2);
  const [cos, sin] = [cells * Math.cos(angle), cells * Math.sin(angle)];
  return (x, y) => {
    // Within 0..2 cells for every angle.
    const px = Math.min(side - 1.001, Math.max(0, cos * x + sin * y));
    const py = Math.min(side - 1.001, Math.max(0, cos * y - sin * x + cells));
    const column = Math.floor(px);
    const row = Math.floor(py);
    const tx = ease(px - column);
    const at = row * side + column;
    const top = lattice[at]! + tx * (lattice[at + 1]! - lattice[at]!);
    const bottom = lattice[at + side]! + tx * (lattice[at + side + 1]! - lattice[at + side]!);
    return top + ease(py - row) * (bottom - top);
  };
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}

/**
 * Sensor noise: independent, nearly normal values of mean 0 and variance 1 by pixel index. An integer hash of the
 * index, since drawing three normal numbers a pixel would take longer than everything else together.
 */
export function grain(random: Random): (index: number) => number {
  const seed = random.below(2 ** 31);
  const scale = 1 / Math.sqrt((4 * (256 * 256 - 1)) / 12);
  return (index) => {
    const bits = scramble(scramble(index ^ seed) + index);
    const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
    return (sum - 510) * scale;
  };
}

/** The finaliser of MurmurHash3. */
function scramble(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
