import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { short, encodePng, readImage, type Example } from '../../../core/index.ts';

/** One image: what each subject makes of it under attack and clean. */
export interface Block {
  readonly columns: readonly { readonly hit: Example; readonly clean: Example }[];
}

const SIDE = 112;
const GAP = 6;
const LEFT = 90;
const LINE = 16;

const rows = ['perturbation', 'adversarial', 'segmentation', 'clean segm.'];

/**
 * An SVG that holds all its pictures, laid out as figure 1 of the paper: image and truth in the first column, then one
 * column for each subject.
 */
export async function composeGrid(blocks: readonly Block[], title: string, dir: string): Promise<string> {
  const names = blocks[0]!.columns.map(({ hit }) => hit.subject);
  const width = LEFT + (names.length + 1) * (SIDE + GAP);
  const blockHeight = rows.length * (SIDE + GAP) + LINE;
  const top = 2 * LINE + GAP;
  const parts = [text(GAP, LINE, title, 'bold')];
  for (const [column, name] of ['image and truth', ...names].entries())
    parts.push(text(LEFT + column * (SIDE + GAP), 2 * LINE, short(name, 16)));
  for (const [index, block] of blocks.entries())
    parts.push(...(await drawBlock(block, top + index * blockHeight, dir)));
  const height = top + blocks.length * blockHeight;
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect width="100%" height="100%" fill="white"/>${parts.join('')}</svg>\n`;
}

async function drawBlock({ columns }: Block, top: number, dir: string): Promise<string[]> {
  const at = (column: number, row: number, png: Uint8Array) =>
    picture(LEFT + column * (SIDE + GAP), top + row * (SIDE + GAP), png);
  const file = (name: string) => readFile(join(dir, name));
  const { hit: first } = columns[0]!;
  const parts = rows.map((row, index) => text(GAP, top + index * (SIDE + GAP) + SIDE / 2, row));
  parts.push(text(LEFT, top + 2 * (SIDE + GAP) + LINE, short(first.sample, 16)));
  parts.push(at(0, 0, await file(first.image)), at(0, 1, await file(first.truth)));
  for (const [index, { hit, clean: untouched }] of columns.entries()) {
    const pictures = [
      await perturbation(hit, dir),
      ...(await Promise.all([hit.adversarial, hit.prediction, untouched.prediction].map(file))),
    ];
    parts.push(...pictures.map((png, row) => at(index + 1, row, png)));
  }
  return parts;
}

/** What the attack added: grey is nothing, black and white are -eps and +eps. */
async function perturbation({ image, adversarial, eps }: Example, dir: string): Promise<Uint8Array> {
  const [before, after] = await Promise.all(
    [image, adversarial].map((name) => readImage(join(dir, name), { channels: 3 })),
  );
  const data = after!.data.map((value, i) => {
    const level = Math.round(127.5 + (127.5 * (value - before!.data[i]!)) / eps);
    return Math.min(255, Math.max(0, level));
  });
  return encodePng({ shape: after!.shape, data });
}

function picture(x: number, y: number, png: Uint8Array): string {
  const data = Buffer.from(png).toString('base64');
  return `<image x="${x}" y="${y}" width="${SIDE}" height="${SIDE}" preserveAspectRatio="none" href="data:image/png;base64,${data}"/>`;
}

function text(x: number, y: number, content: string, weight = 'normal'): string {
  const escaped = short(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" font-family="sans-serif" font-size="12" font-weight="${weight}">${escaped}</text>`;
}
