import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { temporaryFolder } from '../../core/testing/context.ts';

/** A folder with an exported U-Net, and images of a bright square with their masks. */
export async function project(model: string): Promise<string> {
  const cwd = temporaryFolder();
  const fixture = fileURLToPath(new URL('../../fixtures/onnx/unet.dynamo.onnx', import.meta.url));
  cpSync(fixture, join(cwd, model));
  for (const folder of ['img', 'mask']) mkdirSync(join(cwd, folder));
  const inside = (at: number) => at % 32 >= 8 && at % 32 < 24 && at >= 32 * 10 && at < 32 * 20;
  const raw = (channels: 1 | 3) => ({ raw: { width: 32, height: 32, channels } });
  for (const id of ['a', 'b']) {
    const image = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) =>
      inside(Math.floor(i / 3)) ? 180 : (i * 7) % 90,
    );
    const mask = Uint8Array.from({ length: 32 * 32 }, (_, i) => (inside(i) ? 255 : 0));
    await sharp(image, raw(3)).toFile(join(cwd, `img/${id}.png`));
    await sharp(mask, raw(1)).toFile(join(cwd, `mask/${id}.png`));
  }
  return cwd;
}
