import { defineDataset, type Random } from '../../core/index.ts';
import { bump, eachPixel, makeCanvas, smoothstep, type Canvas } from './phantom/canvas.ts';
import { makeChest, spine, type Chest } from './phantom/chest.ts';
import { drawBones, drawDevices, drawMarker, drawVessels } from './phantom/chest-overlays.ts';
import { phantomDataset, phantomOptions } from './phantom/dataset.ts';
import { between, chance, grain, smoothNoise } from './phantom/noise.ts';

export default defineDataset({
  name: 'chest-phantom',
  summary: 'Drawn chest radiographs with exact masks of both lung fields, as many and as large as wanted.',
  options: phantomOptions,
  load: async (options, ctx) =>
    phantomDataset({ name: 'chest', version: 1, foreground: 'lung', draw: drawChest }, options, ctx),
});

/** One frontal radiograph; bone is bright, air is dark. */
function drawChest(random: Random, size: number) {
  const chest = makeChest(random);
  const canvas = makeCanvas(size, 1);
  const mask = new Uint8Array(size * size);
  const tissue = softTissue(random, chest);
  eachPixel(size, (x, y, i) => {
    const [a, b] = chest.locate(x, y);
    canvas.data[i] = tissue(a, b);
    mask[i] = Number(chest.lung(a, b) > 0);
  });
  drawBones(random, chest, canvas);
  drawVessels(random, chest, canvas);
  drawDevices(random, chest, canvas);
  expose(random, canvas, mask);
  drawMarker(random, canvas);
  return { canvas, mask };
}

/** Brightness of everything without sharp outlines, by chest coordinates. */
function softTissue(random: Random, chest: Chest): (a: number, b: number) => number {
  const air = between(random, 0.28, 0.42);
  const belly = between(random, 0.02, 0.14);
  const rhythm = between(random, 75, 100);
  const cloud = smoothNoise(random, 7);
  const bubble = chance(random, 0.6) ? between(random, 0.15, 0.35) : 0;
  const [bubbleA, bubbleB] = [between(random, 0.12, 0.24), chest.right.base + between(random, 0.06, 0.12)];
  const opacities = Array.from({ length: random.below(4) }, () => makeOpacity(random, chest));
  const breast = chance(random, 0.5) ? between(random, 0.04, 0.12) : 0;
  return (a, b) => {
    const depth = chest.lung(a, b);
    const inside = smoothstep(-0.008, 0.012, depth) * (0.7 + 0.3 * smoothstep(0, 0.1, depth));
    let value = 0.62 + 0.06 * cloud(a + 0.5, b) + 0.17 * spine(a, b, rhythm) + 0.1 * bump(a, 0, 0.11);
    value += 0.08 * smoothstep(-0.01, 0.02, chest.heart(a, b));
    value += belly * smoothstep(-0.01, 0.03, b - chest.dome(a));
    value -= bubble * bump((a - bubbleA) / 1.5, b - bubbleB, 0.05) + air * inside;
    for (const { ca, cb, radius, amount } of opacities) {
      value += amount * inside * bump(a - ca, b - cb, radius);
    }
    value += breast * bump(Math.abs(a) - 0.22, (b - 0.66) * 1.3, 0.13);
    return value * smoothstep(-0.01, 0.02, chest.body(a, b)) + 0.03;
  };
}

/** A nodule or a consolidation: lung that is as bright as tissue. */
function makeOpacity(random: Random, { left, right }: Chest) {
  const lung = chance(random, 0.5) ? left : right;
  const ca = lung.side * between(random, 0.1, lung.reach - 0.05);
  const cb = between(random, lung.apex + 0.1, lung.base - 0.05);
  const nodule = chance(random, 0.5);
  const radius = nodule ? between(random, 0.012, 0.03) : between(random, 0.05, 0.12);
  return { ca, cb, radius, amount: between(random, 0.1, 0.3) };
}

/** What tube and film do: uneven light, gamma, contrast, noise, and sometimes a black border that hides the patient. */
function expose(random: Random, { size, data }: Canvas, mask: Uint8Array): void {
  const [dx, dy] = [between(random, -0.28, 0.28), between(random, -0.28, 0.28)];
  const gamma = between(random, 0.7, 1.5);
  const gain = between(random, 0.6, 1.05);
  const offset = between(random, -0.03, 0.14);
  const noise = grain(random);
  const sigma = between(random, 0.008, 0.03);
  const border = chance(random, 0.3) ? between(random, 0.01, 0.07) : 0;
  eachPixel(size, (x, y, i) => {
    const lit = Math.max(0, data[i]! + dx * (x - 0.5) + dy * (y - 0.5));
    const hidden = Math.min(x, 1 - x, y, 1 - y) < border;
    if (hidden) mask[i] = 0;
    data[i] = hidden ? 0.01 : offset + gain * lit ** gamma + sigma * noise(i);
  });
}
