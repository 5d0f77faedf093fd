import { defineDataset, type Random } from '../../core/index.ts';
import { bump, eachPixel, makeCanvas, smoothstep, type Canvas } from './phantom/canvas.ts';
import { phantomDataset, phantomOptions } from './phantom/dataset.ts';
import { makeLesion, type Colour, type Pigment } from './phantom/lesion.ts';
import { between, chance, grain, smoothNoise } from './phantom/noise.ts';
import { drawBubbles, drawHairs, drawMoles, drawPen, drawRuler } from './phantom/skin-overlays.ts';

export default defineDataset({
  name: 'skin-phantom',
  summary: 'Drawn dermoscopic images with exact masks of the lesion, as many and as large as wanted.',
  options: { ...phantomOptions, channels: { ...phantomOptions.channels, default: 3 } },
  load: async (options, ctx) =>
    phantomDataset({ name: 'skin', version: 1, foreground: 'lesion', draw: drawSkin }, options, ctx),
});

/** How strongly each pigment absorbs red, green and blue light. */
const MELANIN: Colour = [0.75, 1.2, 1.5];
const BLOOD: Colour = [0.12, 0.85, 0.75];
const VEIL: Colour = [0.5, 0.55, 0.68];

/** One dermoscopic image. */
function drawSkin(random: Random, size: number) {
  const canvas = makeCanvas(size, 3);
  const mask = new Uint8Array(size * size);
  const lesion = makeLesion(random);
  const skin = makeSkin(random);
  eachPixel(size, (x, y, i) => {
    const depth = lesion.depth(x, y);
    mask[i] = Number(depth > 0);
    shade(canvas.data, 3 * i, skin(x, y), lesion.pigment(x, y, depth));
  });
  drawMoles(random, canvas);
  drawPen(random, canvas);
  drawRuler(random, canvas);
  drawHairs(random, canvas);
  drawBubbles(random, canvas);
  expose(random, canvas, mask);
  return { canvas, mask };
}

/** Colour of bare skin: tone, blotches, fine furrows. */
function makeSkin(random: Random): (x: number, y: number) => { tone: Colour; relief: number } {
  const dark = random.uniform() ** 2;
  const tint: Colour = [between(random, 0.85, 1.08), 1, between(random, 0.88, 1.25)];
  const tone: Colour = [
    Math.min(1, tint[0] * (0.92 - 0.42 * dark)),
    tint[1] * (0.76 - 0.42 * dark),
    Math.min(1, tint[2] * (0.68 - 0.42 * dark)),
  ];
  const blotches = smoothNoise(random, 5);
  const furrows = smoothNoise(random, 44);
  const [blotchy, rough] = [between(random, 0.02, 0.12), between(random, 0.01, 0.06)];
  return (x, y) => ({ tone, relief: 1 + blotchy * blotches(x, y) + rough * furrows(x, y) });
}

/** Light that comes back through the pigments (Beer and Lambert). */
function shade(
  data: Float32Array,
  at: number,
  skin: { tone: Colour; relief: number },
  pigment: Pigment,
): void {
  const { melanin, blood, veil } = pigment;
  for (let c = 0; c < 3; c++) {
    const bare = skin.tone[c]! * skin.relief;
    const seen = melanin + blood > 0 ? bare * Math.exp(-melanin * MELANIN[c]! - blood * BLOOD[c]!) : bare;
    data[at + c] = seen + veil * (VEIL[c]! - seen);
  }
}

/** What lamp, lens and sensor do: uneven light, dark corners or the black rim of the tube, contrast, noise. */
function expose(random: Random, { size, data }: Canvas, mask: Uint8Array): void {
  const [dx, dy] = [between(random, -0.3, 0.3), between(random, -0.3, 0.3)];
  const [vignette, gain] = [chance(random, 0.5) ? between(random, 0.3, 1) : 0, between(random, 0.75, 1.1)];
  const tube = chance(random, 0.3) ? between(random, 0.46, 0.62) : 9;
  const [ox, oy] = [between(random, 0.46, 0.54), between(random, 0.46, 0.54)];
  const [noise, sigma] = [grain(random), between(random, 0.008, 0.03)];
  const glare = chance(random, 0.2) ? between(random, 0.1, 0.4) : 0;
  const [gx, gy] = [random.uniform(), random.uniform()];
  eachPixel(size, (x, y, i) => {
    const from = Math.sqrt((x - ox) ** 2 + (y - oy) ** 2);
    const open = smoothstep(tube + 0.012, tube - 0.012, from);
    if (open < 0.5) mask[i] = 0;
    const light = gain * (1 + dx * (x - 0.5) + dy * (y - 0.5)) * (1 - vignette * from * from * 1.4);
    const shine = glare * bump(x - gx, y - gy, 0.12);
    for (let c = 0; c < 3; c++) {
      const at = 3 * i + c;
      data[at] = open * (light * data[at]! + shine) + 0.02 + sigma * noise(at);
    }
  });
}
